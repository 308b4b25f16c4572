/* format - forms of strings that are neither free text nor one of a list. */
#include "schema/check_internal.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "base/xmalloc.h"
#include "schema/codes.h"

enum {
	LABEL_MAX	= 63,		/* RFC 1035, section 2.3.4 */
	HOST_MAX	= 253,
	LOCAL_PART_MAX	= 64,		/* RFC 5321, section 4.5.3.1.1 */
};

static bool	sha256_valid(const char *text);
static bool	key_valid(const char *text);
static bool	pointer_valid(const char *text);
static bool	event_pattern_valid(const char *text);
static bool	email_valid(const char *text);
static bool	url_valid(const char *text);
static bool	host_valid(const char *text, size_t len);
static bool	authority_valid(const char *text, size_t len);

static const struct format formats[] = {
	{ "sha256", sha256_valid, "64 hexadecimal digits in lower case", "^[0-9a-f]{64}$", NULL },
	{ "key", key_valid, "lower-case letters, digits, \"_\", \"-\" and \".\", with a letter or digit first",
	    "^[a-z0-9][a-z0-9_.-]*$", NULL },
	{ "pointer", pointer_valid, "a JSON Pointer such as #/lines/0/net", "^#(/([^~/]|~[01])*)*$", NULL },
	{ "event_pattern", event_pattern_valid, "an event type such as claim.submitted, a family such as claim.*, or *",
	    "^(\\*|[a-z_]+\\.(\\*|[a-z_]+))$", "invalid_enum" },
	{ "email", email_valid, "an e-mail address such as anna@example.com", NULL, NULL },
	{ "url", url_valid, "an absolute http or https URL without user, password and fragment",
	    "^[Hh][Tt][Tt][Pp][Ss]?://[^#/?@]+([/?][^#]*)?$", NULL },
};

const struct format *
format_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	assert(!"no such format");
	return NULL;
}

static bool
sha256_valid(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static bool
key_valid(const char *text)
{
	return strchr("_-.", text[0]) == NULL && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-.")] == '\0';
}

static bool
pointer_valid(const char *text)
{
	if (text[0] != '#' || (text[1] != '\0' && text[1] != '/'))
		return false;
	for (const char *p = text; *p; p++)
		if (*p == '~' && p[1] != '0' && p[1] != '1')
			return false;
	return true;
}

static bool
event_pattern_valid(const char *text)
{
	const char *dot = strchr(text, '.');
	const struct code *types;
	size_t count, len;

	if (strcmp(text, "*") == 0 || code_find(CODES_EVENT_TYPES, text))
		return true;
	if (dot == NULL || strcmp(dot, ".*") != 0)
		return false;
	len = (size_t)(dot - text);
	types = codes(CODES_EVENT_TYPES, &count);
	for (size_t i = 0; i < count; i++)
		if (strlen(types[i].family) == len && memcmp(types[i].family, text, len) == 0)
			return true;
	return false;
}

/* A valid e-mail address as the HTML standard defines it for forms: what browsers let people enter. */
static bool
email_valid(const char *text)
{
	static const char local[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+/=?^_`{|}~-";
	size_t len = strspn(text, local);

	return len > 0 && len <= LOCAL_PART_MAX && text[len] == '@' && host_valid(text + len + 1, strlen(text + len + 1));
}

/* Labels of letters, digits and inner hyphens, with dots between them. */
static bool
host_valid(const char *text, size_t len)
{
	size_t label = 0;

	if (len == 0 || len > HOST_MAX)
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (i == len || text[i] == '.') {
			if (label == 0 || label > LABEL_MAX || text[i - 1] == '-')
				return false;
			label = 0;
		} else if (isalnum((unsigned char)text[i]) || (text[i] == '-' && label > 0)) {
			label++;
		} else {
			return false;
		}
	}
	return true;
}

/* RFC 3986: visible ASCII that may stand in a URL, complete %XX, no user info, no fragment. */
static bool
url_valid(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?[]@!$&'()*+,;=%";
	size_t scheme = strncasecmp(text, "https://", 8) == 0 ? 8 : 7, host;

	if (scheme == 7 && strncasecmp(text, "http://", 7) != 0)
		return false;
	if (text[strspn(text, allowed)] != '\0')
		return false;
	for (const char *p = strchr(text, '%'); p; p = strchr(p + 1, '%'))
		if (!isxdigit((unsigned char)p[1]) || !isxdigit((unsigned char)p[2]))
			return false;
	host = strcspn(text + scheme, "/?");
	return authority_valid(text + scheme, host);
}

/* host[:port], host a name, an IPv4 address or an IPv6 address in brackets. */
static bool
authority_valid(const char *text, size_t len)
{
	const char *close = memchr(text, ']', len), *colon;
	char address[INET6_ADDRSTRLEN];
	struct in6_addr in6;
	size_t host, digits;
	long port = 0;

	if (len > 0 && text[0] == '[') {
		if (close == NULL || (size_t)(close - text) > sizeof(address))
			return false;
		host = (size_t)(close - text) + 1;
		memcpy(address, text + 1, host - 2);
		address[host - 2] = '\0';
		if (inet_pton(AF_INET6, address, &in6) != 1)
			return false;
	} else {
		colon = memchr(text, ':', len);
		host = colon ? (size_t)(colon - text) : len;
		if (!host_valid(text, host))
			return false;
	}
	if (host == len)
		return true;
	digits = len - host - 1;
	if (text[host] != ':' || digits == 0 || digits > 5)
		return false;
	for (size_t i = host + 1; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return false;
		port = port * 10 + (text[i] - '0');
	}
	return port >= 1 && port <= 65535;
}

/* field - the character classes as one table, and the values with a grammar of their own. */
#include "api/http/field.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "api/http/fault.h"

#define T CHAR_TOKEN
#define V CHAR_VALUE
#define P (CHAR_PATH | CHAR_QUERY)
#define Q CHAR_QUERY
#define H CHAR_HOST
#define S CHAR_VISIBLE
#define ALNUM (T | V | P | H | S)

const uint8_t http_char[256] = {
	['\t'] = V | CHAR_BLANK,
	[' '] = V | CHAR_BLANK,
	['!'] = T | V | P | S,
	['"'] = V | S,
	['#'] = T | V | S,
	['$'] = T | V | P | S,
	['%'] = T | V | S,
	['&'] = T | V | P | S,
	['\''] = T | V | P | S,
	['('] = V | P | S,
	[')'] = V | P | S,
	['*'] = T | V | P | S,
	['+'] = T | V | P | S,
	[','] = V | P | S,
	['-'] = ALNUM,
	['.'] = ALNUM,
	['/'] = V | P | S,
	['0' ... '9'] = ALNUM | CHAR_DIGIT,
	[':'] = V | P | S,
	[';'] = V | P | S,
	['<'] = V | S,
	['='] = V | P | S,
	['>'] = V | S,
	['?'] = V | Q | S,
	['@'] = V | P | S,
	['A' ... 'Z'] = ALNUM,
	['['] = V | S,
	['\\'] = V | S,
	[']'] = V | S,
	['^'] = T | V | S,
	['_'] = ALNUM,
	['`'] = T | V | S,
	['a' ... 'z'] = ALNUM,
	['{'] = V | S,
	['|'] = T | V | S,
	['}'] = V | S,
	['~'] = ALNUM,
	[0x80 ... 0xff] = V,		/* obs-text */
};

#undef T
#undef V
#undef P
#undef Q
#undef H
#undef S

#define U(upper, lower) [upper] = lower, [lower] = lower
const char http_lower[256] = {
	['!'] = '!', ['#'] = '#', ['$'] = '$', ['%'] = '%', ['&'] = '&', ['\''] = '\'', ['*'] = '*', ['+'] = '+',
	['-'] = '-', ['.'] = '.', ['^'] = '^', ['_'] = '_', ['`'] = '`', ['|'] = '|', ['~'] = '~',
	['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4',
	['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',
	U('A', 'a'), U('B', 'b'), U('C', 'c'), U('D', 'd'), U('E', 'e'), U('F', 'f'), U('G', 'g'), U('H', 'h'),
	U('I', 'i'), U('J', 'j'), U('K', 'k'), U('L', 'l'), U('M', 'm'), U('N', 'n'), U('O', 'o'), U('P', 'p'),
	U('Q', 'q'), U('R', 'r'), U('S', 's'), U('T', 't'), U('U', 'u'), U('V', 'v'), U('W', 'w'), U('X', 'x'),
	U('Y', 'y'), U('Z', 'z'),
};
#undef U

const struct http_fault_row *
http_fault_row(enum http_fault fault)
{
	static const struct http_fault_row rows[] = {
		[HTTP_FAULT_NONE] = { "NONE", 0, NULL, NULL },
#define HTTP_FAULT_VALUE(name, status, code, detail) [HTTP_FAULT_##name] = { #name, status, code, detail },
		HTTP_FAULTS(HTTP_FAULT_VALUE)
#undef HTTP_FAULT_VALUE
	};

	return &rows[fault];
}

int
http_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* RFC 3986, 3.2.2: IP-literal without its brackets. Zone identifiers (RFC 6874) are not part of it. */
static bool
literal_valid(const char *text, size_t len)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr in6;
	size_t i;

	if (len >= 4 && (text[0] == 'v' || text[0] == 'V')) {
		for (i = 1; i < len && http_hex(text[i]) != -1; i++)
			continue;
		if (i == 1 || i + 1 >= len || text[i] != '.')
			return false;
		for (i++; i < len; i++) {
			if (!http_char_is(text[i], CHAR_HOST) && memchr("!$&'()*+,;=:", text[i], 12) == NULL)
				return false;
		}
		return true;
	}
	if (len == 0 || len >= sizeof(address) || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, &in6) == 1;
}

static bool
port_valid(const char *text, size_t len)
{
	unsigned long port = 0;

	for (size_t i = 0; i < len; i++) {
		if (!http_char_is(text[i], CHAR_DIGIT))
			return false;
		port = port * 10 + (unsigned long)(text[i] - '0');
		if (port > 65535)
			return false;
	}
	return true;
}

bool
host_valid(const char *text, size_t len)
{
	size_t i = 0;

	if (len == 0)
		return false;
	if (text[0] == '[') {
		const char *end = memchr(text, ']', len);

		if (end == NULL || !literal_valid(text + 1, (size_t)(end - text) - 1))
			return false;
		i = (size_t)(end - text) + 1;
	} else {
		for (; i < len && text[i] != ':'; i++) {
			if (http_char_is(text[i], CHAR_HOST))
				continue;
			if (text[i] != '%' || len - i < 3 || http_hex(text[i + 1]) < 2 || http_hex(text[i + 2]) == -1)
				return false;	/* < 2: an escaped control character */
			i += 2;
		}
		if (i == 0)
			return false;
	}
	if (i == len)
		return true;
	return text[i] == ':' && port_valid(text + i + 1, len - i - 1);
}

bool
list_next(const char **at, const char **member, size_t *len)
{
	const char *p = *at, *start, *end;
	bool quoted = false;

	while (*p == ',' || http_char_is(*p, CHAR_BLANK))
		p++;
	if (*p == '\0')
		return false;
	for (start = p; *p != '\0' && (quoted || *p != ','); p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (quoted && *p == '\\' && p[1] != '\0')
			p++;
	}
	for (end = p; end > start && http_char_is(end[-1], CHAR_BLANK); end--)
		continue;
	*member = start;
	*len = (size_t)(end - start);
	*at = p;
	return true;
}

bool
text_is(const char *text, size_t len, const char *wanted)
{
	return strlen(wanted) == len && strncasecmp(text, wanted, len) == 0;
}

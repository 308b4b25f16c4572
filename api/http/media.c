/* media - one small reader of tokens, quoted strings and parameters, and the fields that are made of them. */
#include "api/http/media.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/http/field.h"

struct param {
	const char	*name;
	size_t		 name_len;
	char		 value[256];	/* unquoted */
};

static bool param_next(const char **, const char *, struct param *, bool *);

static const char *
skip_blanks(const char *at, const char *end)
{
	while (at < end && http_char_is(*at, CHAR_BLANK))
		at++;
	return at;
}

static const char *
skip_token(const char *at, const char *end)
{
	while (at < end && http_char_is(*at, CHAR_TOKEN))
		at++;
	return at;
}

/* A token or quoted-string into out. NULL: neither, or too long. Else where it ended. */
static const char *
read_word(const char *at, const char *end, char *out, size_t size)
{
	const char *stop;
	size_t n = 0;

	if (at == end || *at != '"') {
		stop = skip_token(at, end);
		if (stop == at || (size_t)(stop - at) >= size)
			return NULL;
		memcpy(out, at, (size_t)(stop - at));
		out[stop - at] = '\0';
		return stop;
	}
	for (at++; at < end && *at != '"'; at++) {
		if (*at == '\\' && ++at == end)
			return NULL;
		if (n + 1 >= size || !http_char_is(*at, CHAR_VALUE))
			return NULL;
		out[n++] = *at;
	}
	out[n] = '\0';
	return at == end ? NULL : at + 1;
}

/* *( OWS ";" OWS [ token "=" word ] ): the next one. false: no more; *sound false: what follows is none. */
static bool
param_next(const char **at, const char *end, struct param *param, bool *sound)
{
	const char *p = *at, *stop;

	for (;;) {
		p = skip_blanks(p, end);
		if (p == end) {
			*at = end;
			return false;
		}
		if (*p != ';')
			break;
		p = skip_blanks(p + 1, end);
		if (p == end || *p == ';')
			continue;
		stop = skip_token(p, end);
		if (stop == p || stop == end || *stop != '=')
			break;
		param->name = p;
		param->name_len = (size_t)(stop - p);
		stop = read_word(stop + 1, end, param->value, sizeof(param->value));
		if (stop == NULL)
			break;
		*at = stop;
		return true;
	}
	*sound = false;
	return false;
}

static void
lower(char *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = text[i] == '/' ? '/' : http_lower[(uint8_t)text[i]];
	out[len] = '\0';
}

/* token "/" token: where it ends, NULL: none. */
static const char *
skip_type(const char *at, const char *end)
{
	const char *slash = skip_token(at, end), *stop;

	if (slash == at || slash == end || *slash != '/')
		return NULL;
	stop = skip_token(slash + 1, end);
	return stop == slash + 1 ? NULL : stop;
}

/* RFC 2046, 5.1.1: bchars, not ending in a space. */
static bool
boundary_valid(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > 70 || text[len - 1] == ' ')
		return false;
	for (; *text != '\0'; text++) {
		char c = *text | 0x20;
		bool alnum = http_char_is(*text, CHAR_DIGIT) || (c >= 'a' && c <= 'z');

		if (!alnum && strchr("'()+_,-./:=? ", *text) == NULL)
			return false;
	}
	return true;
}

bool
media_type_parse(const char *text, struct media_type *media)
{
	const char *end, *stop;
	struct media_type found = { "", "", "" };
	struct param param;
	bool sound = true;

	if (text == NULL)
		return false;
	end = text + strlen(text);
	stop = skip_type(text, end);
	if (stop == NULL || stop - text >= MEDIA_MAX)
		return false;
	lower(found.type, text, (size_t)(stop - text));
	while (param_next(&stop, end, &param, &sound)) {
		if (text_is(param.name, param.name_len, "charset")) {
			if (found.charset[0] != '\0' || param.value[0] == '\0' ||
			    strlen(param.value) >= sizeof(found.charset))
				return false;
			for (size_t i = 0; i <= strlen(param.value); i++)
				found.charset[i] = http_lower[(uint8_t)param.value[i]];
		} else if (text_is(param.name, param.name_len, "boundary")) {
			if (found.boundary[0] != '\0' || !boundary_valid(param.value))
				return false;
			memcpy(found.boundary, param.value, strlen(param.value) + 1);
		}
	}
	if (sound)
		*media = found;
	return sound;
}

bool
media_type_is(const char *text, const char *type)
{
	struct media_type media;

	return media_type_parse(text, &media) && strcmp(media.type, type) == 0 &&
	    (media.charset[0] == '\0' || strcmp(media.charset, "utf-8") == 0);
}

/* weight: "0" or "1", up to three digits after the point (RFC 9110, 12.4.2); in thousandths, -1: none. */
static int
weight_parse(const char *text)
{
	int weight, scale = 100;

	if (*text != '0' && *text != '1')
		return -1;
	weight = (*text - '0') * 1000;
	if (text[1] == '\0')
		return weight;
	if (text[1] != '.' || strlen(text) > 5)
		return -1;
	for (text += 2; *text != '\0'; text++, scale /= 10) {
		if (!http_char_is(*text, CHAR_DIGIT))
			return -1;
		weight += (*text - '0') * scale;
	}
	return weight > 1000 ? -1 : weight;
}

/* The weight after a member's own text, 1000 when there is none; -1: malformed. */
static int
member_weight(const char *at, const char *end)
{
	struct param param;
	bool sound = true;
	int weight = 1000;

	while (weight >= 0 && param_next(&at, end, &param, &sound)) {
		if (text_is(param.name, param.name_len, "q"))
			weight = weight_parse(param.value);
	}
	return sound ? weight : -1;
}

/* 3: the same type, 2: type / *, 1: * / *, 0: not this one. */
static int
media_fits(const char *range, size_t len, const char *type)
{
	size_t main_len = strcspn(type, "/") + 1;

	if (text_is(range, len, type))
		return 3;
	if (len == main_len + 1 && range[len - 1] == '*' && strncasecmp(range, type, main_len) == 0)
		return 2;
	return len == 3 && memcmp(range, "*/*", 3) == 0;
}

/* The weight that the most specific member of the field gives to `type`; *sound false: the field is malformed. */
static int
media_weight(const char *accept, const char *type, bool *sound)
{
	const char *member, *stop;
	size_t len;
	int best = 0, weight = 0;

	while (list_next(&accept, &member, &len)) {
		int fits, own;

		stop = skip_type(member, member + len);
		own = stop == NULL ? -1 : member_weight(stop, member + len);
		if (own < 0) {
			*sound = false;
			return 0;
		}
		fits = media_fits(member, (size_t)(stop - member), type);
		if (fits > best) {
			best = fits;
			weight = own;
		}
	}
	return weight;
}

int
accept_choose(const char *accept, const char *const *offered, size_t n)
{
	int chosen = -1, best = 0;
	bool sound = true;

	if (accept == NULL || *accept == '\0')
		return 0;
	for (size_t i = 0; i < n; i++) {
		int weight = media_weight(accept, offered[i], &sound);

		if (!sound)
			return 0;
		if (weight > best) {
			best = weight;
			chosen = (int)i;
		}
	}
	return chosen;
}

int
accept_language(const char *accept, const char *const *offered, size_t n)
{
	const char *member;
	size_t len, chosen = 0;
	int best = 0;

	while (accept != NULL && list_next(&accept, &member, &len)) {
		size_t tag = 0, primary;
		int weight;

		while (tag < len && member[tag] != ';' && !http_char_is(member[tag], CHAR_BLANK))
			tag++;
		primary = strcspn(member, "-;, \t");
		primary = primary < tag ? primary : tag;
		weight = member_weight(member + tag, member + len);
		for (size_t i = 0; i < n && weight > best; i++) {
			if (text_is(member, primary, offered[i])) {
				best = weight;
				chosen = i;
			}
		}
	}
	return (int)chosen;
}

/* RFC 9110, 8.8.3: [ "W/" ] DQUOTE *etagc DQUOTE. Its length, 0: none. */
static size_t
etag_length(const char *text)
{
	size_t i = strncmp(text, "W/", 2) == 0 ? 2 : 0;

	if (text[i++] != '"')
		return 0;
	while (text[i] != '\0' && text[i] != '"') {
		if (!http_char_is(text[i], CHAR_VISIBLE) && (uint8_t)text[i] < 0x80)
			return 0;
		i++;
	}
	return text[i] == '"' ? i + 1 : 0;
}

bool
etag_valid(const char *text)
{
	size_t len = etag_length(text);

	return len > 0 && text[len] == '\0';
}

int
etag_list_match(const char *list, const char *etag, bool weak)
{
	const char *opaque = strncmp(etag, "W/", 2) == 0 ? etag + 2 : etag;
	int found = 0;
	bool any = false;

	if (strcmp(list, "*") == 0)
		return 1;
	for (;;) {
		const char *own;
		size_t len;

		while (*list == ',' || http_char_is(*list, CHAR_BLANK))
			list++;
		if (*list == '\0')
			return any ? found : -1;
		len = etag_length(list);
		if (len == 0)
			return -1;
		any = true;
		own = *list == 'W' ? list + 2 : list;
		if ((weak || (own == list && opaque == etag)) && strlen(opaque) == len - (size_t)(own - list) &&
		    memcmp(own, opaque, strlen(opaque)) == 0)
			found = 1;
		list += len;
		while (http_char_is(*list, CHAR_BLANK))
			list++;
		if (*list != ',' && *list != '\0')
			return -1;
	}
}

static int
wait_parse(const char *text)
{
	int n = 0;

	if (*text == '\0' || strlen(text) > 6)
		return -1;
	for (; *text != '\0'; text++) {
		if (!http_char_is(*text, CHAR_DIGIT))
			return -1;
		n = n * 10 + (*text - '0');
	}
	return n;
}

/* RFC 7240: preference = token [ BWS "=" BWS word ] *( OWS ";" ... ); parameters of one are not looked at. */
void
prefer_parse(const char *text, struct prefer *prefer)
{
	const char *member;
	size_t len;

	prefer->return_minimal = prefer->return_representation = false;
	prefer->wait_s = -1;
	while (text != NULL && list_next(&text, &member, &len)) {
		const char *end = member + len, *stop = skip_token(member, end), *at = skip_blanks(stop, end);
		char value[64] = "";

		if (at < end && *at == '=' &&
		    read_word(skip_blanks(at + 1, end), end, value, sizeof(value)) == NULL)
			continue;
		if (text_is(member, (size_t)(stop - member), "wait") && prefer->wait_s == -1)
			prefer->wait_s = wait_parse(value);
		if (!text_is(member, (size_t)(stop - member), "return") || prefer->return_minimal ||
		    prefer->return_representation)
			continue;
		prefer->return_minimal = strcasecmp(value, "minimal") == 0;
		prefer->return_representation = strcasecmp(value, "representation") == 0;
	}
}

bool
list_has(const char *list, const char *token)
{
	const char *member;
	size_t len;

	while (list != NULL && list_next(&list, &member, &len)) {
		if (text_is(member, len, token))
			return true;
	}
	return false;
}

#include "workers/documents/extraction.h"

#include <string.h>

#include "base/json.h"
#include "base/problem.h"
#include "base/utf8.h"
#include "base/xmalloc.h"

#define PROTOCOL 1

enum kind { KIND_INT, KIND_BOOL, KIND_MEDIA, KIND_WORD, KIND_CODE, KIND_POINTER };

/*
 * One member of one object that the program may send; min and max bound a number, or the length of
 * a string.
 */
struct member {
	const char	*object, *name;		/* name NULL: the object itself is the value */
	enum kind	 kind;
	int64_t		 min, max;
	const char	*words;			/* KIND_WORD: all there are, each between blanks; NULL: any */
};

#define MS_MAX 86400000

static const struct member values[] = {
	{ "type",	"media",	KIND_MEDIA,	3, 127, NULL },
	{ "pages",	NULL,		KIND_INT,	1, 1000000, NULL },
	{ "image",	"width",	KIND_INT,	1, 0x7FFFFFFF, NULL },
	{ "image",	"height",	KIND_INT,	1, 0x7FFFFFFF, NULL },
	{ "text",	"pages",	KIND_INT,	0, 1000000, NULL },
	{ "text",	"chars",	KIND_INT,	0, EXTRACTION_TEXT_MAX, NULL },
	{ "text",	"letters_permille", KIND_INT,	0, 1000, NULL },
	{ "text",	"usable",	KIND_BOOL,	0, 0, NULL },
};

static const struct member check_members[] = {
	{ "check",	"code",		KIND_CODE,	3, 64, NULL },
	{ "check",	"severity",	KIND_WORD,	4, 7, " info warning blocker " },
	{ "check",	"at",		KIND_POINTER,	1, 200, NULL },
};

static const struct member stage_members[] = {
	{ "stage",	"name",		KIND_WORD,	1, 32, NULL },
	{ "stage",	"status",	KIND_WORD,	1, 16,
	    " ok limit output memory failed cpu wall seccomp crashed " },
	{ "stage",	"ms",		KIND_INT,	0, MS_MAX, NULL },
	{ "stage",	"cpu_ms",	KIND_INT,	0, MS_MAX, NULL },
};

static const struct member blob_members[] = {
	{ "blob",	"kind",		KIND_WORD,	4, 4, " text " },
	{ "blob",	"media",	KIND_MEDIA,	25, 25, NULL },
	{ "blob",	"bytes",	KIND_INT,	1, EXTRACTION_TEXT_MAX, NULL },
};

static const struct member end_members[] = {
	{ "end",	"outcome",	KIND_WORD,	5, 16,
	    " processed processed_partly encrypted unreadable unsupported empty " },
	{ "end",	"ms",		KIND_INT,	0, MS_MAX, NULL },
	{ "end",	"last",		KIND_BOOL,	0, 0, NULL },
};

typedef enum extraction_step frame_fn(struct extraction *e, const char *body, size_t len, const char **why);

static frame_fn on_value, on_check, on_blob, on_data, on_stage, on_end;

static const struct frame {
	uint8_t		 kind;
	frame_fn	*on;
} frames[] = {
	{ 'V', on_value }, { 'C', on_check }, { 'B', on_blob }, { 'D', on_data }, { 'S', on_stage }, { 'E', on_end },
};

static enum extraction_step
broken(const char **why, const char *text)
{
	*why = text;
	return EXTRACTION_BROKEN;
}

void
extraction_init(struct extraction *e, size_t bytes, const char *declared)
{
	json_t *type = json_object();

	*e = (struct extraction){ .result = json_object(), .text = BUF_INIT(EXTRACTION_TEXT_MAX), .stage = -1 };
	json_set_int(e->result, "schema", 1);
	json_set_str(e->result, "outcome", NULL);
	json_set_int(e->result, "bytes", (int64_t)bytes);
	json_set_str(type, "media", NULL);
	json_set_str(type, "declared", declared != NULL && declared[0] != '\0' ? declared : NULL);
	json_set(e->result, "type", type);
	json_set(e->result, "stages", json_array());
	json_set(e->result, "checks", json_array());
}

void
extraction_done(struct extraction *e)
{
	json_decref(e->result);
	buf_done(&e->text);
	e->result = NULL;
}

static bool
string_fits(const struct member *m, const char *s, size_t len)
{
	static const char small[] = "abcdefghijklmnopqrstuvwxyz", token[] = "abcdefghijklmnopqrstuvwxyz0123456789"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ!#$&^_.+-";
	const char *found, *slash;

	if (strlen(s) != len || (int64_t)len < m->min || (int64_t)len > m->max)
		return false;
	switch (m->kind) {
	case KIND_WORD:
		if (s[strspn(s, "abcdefghijklmnopqrstuvwxyz_")] != '\0')
			return false;
		found = m->words != NULL ? strstr(m->words, s) : NULL;
		return m->words == NULL ||
		       (found != NULL && found > m->words && found[-1] == ' ' && found[len] == ' ');
	case KIND_CODE:		/* file.type_mismatch */
		return strspn(s, small) > 0 && s[strspn(s, small)] == '.' &&
		    s[strspn(s, "abcdefghijklmnopqrstuvwxyz_.")] == '\0';
	case KIND_POINTER:
		return s[0] == '/' && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_/")] == '\0';
	case KIND_MEDIA:
		slash = strchr(s, '/');
		return slash != NULL && slash > s && slash[1] != '\0' && strspn(s, token) == (size_t)(slash - s) &&
		    (slash[1 + strspn(slash + 1, token)] == '\0' || strcmp(s, "text/plain; charset=utf-8") == 0);
	case KIND_INT:
	case KIND_BOOL:
		break;
	}
	return false;
}

static bool
member_fits(const struct member *m, const json_t *value)
{
	if (m->kind == KIND_BOOL)
		return json_is_boolean(value);
	if (m->kind == KIND_INT)
		return json_is_integer(value) && json_integer_value(value) >= m->min &&
		       json_integer_value(value) <= m->max;
	return json_is_string(value) && string_fits(m, json_string_value(value), json_string_length(value));
}

/* Is it `name` as the rows say: every member of it, each as it should be, and no other? */
static bool
object_fits(const struct member *rows, size_t count, const char *name, const json_t *object)
{
	size_t i, found = 0;

	for (i = 0; i < count; i++) {
		if (strcmp(rows[i].object, name) != 0)
			continue;
		if (rows[i].name == NULL)
			return member_fits(&rows[i], object);
		if (!member_fits(&rows[i], json_object_get(object, rows[i].name)))
			return false;
		found++;
	}
	return found > 0 && json_object_size(object) == found;
}

/* The JSON of a body, or NULL. gives. */
static json_t *
read_json(const char *body, size_t len)
{
	struct problem problem = PROBLEM_INIT;
	json_t *json = json_read(body, len, &problem);

	problem_done(&problem);
	return json;
}

static json_t *
read_object(const char *body, size_t len, const struct member *rows, size_t count)
{
	json_t *json = read_json(body, len);

	if (json_is_object(json) && object_fits(rows, count, rows[0].object, json))
		return json;
	json_decref(json);
	return NULL;
}

static enum extraction_step
on_value(struct extraction *e, const char *body, size_t len, const char **why)
{
	json_t *json = read_json(body, len), *value = json_object_get(json, "value"), *now;
	const char *name = json_is_object(json) ? json_str(json, "name") : NULL;

	if (name == NULL || json_object_size(json) != 2 || !object_fits(values, ARRAY_SIZE(values), name, value)) {
		json_decref(json);
		return broken(why, "a value that is none of ours");
	}
	now = json_get(e->result, name);
	if (json_is_object(value) && json_is_object(now) && json_get(now, "media") == NULL) {
		json_object_update(now, value);		/* type: the declared one is there already */
	} else if (now == NULL) {
		json_set(e->result, name, json_incref(value));
	} else {
		json_decref(json);
		return broken(why, "a value came twice");
	}
	json_decref(json);
	return EXTRACTION_MORE;
}

static enum extraction_step
on_check(struct extraction *e, const char *body, size_t len, const char **why)
{
	json_t *checks = json_object_get(e->result, "checks");
	json_t *json = read_object(body, len, check_members, ARRAY_SIZE(check_members));

	if (json == NULL)
		return broken(why, "a check that is none of ours");
	json_array_append_new(checks, json);
	return json_array_size(checks) <= EXTRACTION_CHECKS_MAX ? EXTRACTION_MORE : broken(why, "too many checks");
}

static enum extraction_step
on_blob(struct extraction *e, const char *body, size_t len, const char **why)
{
	json_t *json = read_object(body, len, blob_members, ARRAY_SIZE(blob_members));

	if (json == NULL || e->text_bytes != 0) {
		json_decref(json);
		return broken(why, "a blob that is none of ours");
	}
	e->text_bytes = (size_t)json_int(json, "bytes");
	json_decref(json);
	return EXTRACTION_MORE;
}

static enum extraction_step
on_data(struct extraction *e, const char *body, size_t len, const char **why)
{
	if (len == 0 || len > e->text_bytes - e->text.len || buf_add(&e->text, body, len) == -1)
		return broken(why, "more data than the blob was announced with");
	return EXTRACTION_MORE;
}

static enum extraction_step
on_stage(struct extraction *e, const char *body, size_t len, const char **why)
{
	json_t *all = json_object_get(e->result, "stages");
	json_t *json = read_object(body, len, stage_members, ARRAY_SIZE(stage_members));

	if (json == NULL)
		return broken(why, "a stage report that is none of ours");
	json_array_append_new(all, json);
	if (json_array_size(all) > EXTRACTION_STAGES_MAX)
		return broken(why, "too many stages");
	if (e->text.len != e->text_bytes)
		return broken(why, "a blob that is not whole");
	e->stage = -1;
	return EXTRACTION_MORE;
}

static enum extraction_step
on_end(struct extraction *e, const char *body, size_t len, const char **why)
{
	json_t *json = read_object(body, len, end_members, ARRAY_SIZE(end_members));

	if (json == NULL)
		return broken(why, "an end that is none of ours");
	json_set(e->result, "outcome", json_incref(json_object_get(json, "outcome")));
	e->last = json_flag(json, "last");
	json_decref(json);
	if (e->stage != -1 || json_array_size(json_object_get(e->result, "stages")) == 0)
		return broken(why, "an end before its stage's");
	if (e->text.len > 0 && (!utf8_valid(e->text.data, e->text.len) ||
				   memchr(e->text.data, '\0', e->text.len) != NULL))
		return broken(why, "text that is no UTF-8");
	return EXTRACTION_END;
}

enum extraction_step
extraction_frame(struct extraction *e, uint8_t kind, uint8_t stage, const char *body, size_t len, const char **why)
{
	size_t i;

	if (++e->frames > EXTRACTION_FRAMES_MAX || len > EXTRACTION_BODY_MAX)
		return broken(why, "too many frames, or too long a one");
	for (i = 0; i < ARRAY_SIZE(frames) && frames[i].kind != kind; i++)
		continue;
	if (i == ARRAY_SIZE(frames))
		return broken(why, "a frame of no kind");
	if (kind != 'E' && e->stage != -1 && e->stage != stage)
		return broken(why, "a frame of another stage");
	if (kind != 'E')
		e->stage = stage;
	return frames[i].on(e, body, len, why);
}

bool
extraction_hello(const char *body, size_t len)
{
	json_t *json = read_json(body, len);
	bool ours = json_is_object(json) && json_int(json, "protocol") == PROTOCOL;

	json_decref(json);
	return ours;
}

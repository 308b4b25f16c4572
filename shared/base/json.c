/* json - the short names of json.h. The reader is in json_read.c, the writers are in json_write.c. */
#include "base/json.h"

#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

const char *
json_str(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

int64_t
json_int(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

bool
json_flag(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

json_t *
json_get(const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);

	return json_is_null(value) ? NULL : value;
}

void
json_set(json_t *object, const char *name, json_t *value)
{
	json_object_set_new_nocheck(object, name, value ? value : json_null());
}

void
json_set_str(json_t *object, const char *name, const char *s)
{
	json_set(object, name, json_str_or_null(s));
}

void
json_set_int(json_t *object, const char *name, int64_t n)
{
	json_set(object, name, json_integer(n));
}

json_t *
json_str_or_null(const char *s)
{
	return s ? json_text(s, strlen(s)) : json_null();
}

json_t *
json_text(const char *s, size_t len)
{
	struct buf clean = BUF_INIT(0);
	json_t *value;

	if (utf8_valid(s, len))
		return json_stringn_nocheck(s, len);
	utf8_clean(&clean, s, len);
	value = json_stringn_nocheck(clean.data, clean.len);
	buf_done(&clean);
	return value;
}

/* json - the short names of json.h. The reader is in json_read.c, the writers are in json_write.c. */
#include "base/json.h"

#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

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

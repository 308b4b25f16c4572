/* trace - "00-" 32 hex "-" 16 hex "-" 2 hex, lower case; what later versions append is passed over (section 4.3). */
#include "api/http/trace.h"

#include <stdint.h>
#include <string.h>

#include "base/hash.h"

#include "api/http/field.h"
#include "api/http/server.h"

#define PARENT_LEN	55
#define STATE_MAX	512

static bool
lower_hex(const char *text, size_t len, bool may_be_zero)
{
	bool zero = true;

	for (size_t i = 0; i < len; i++) {
		if (http_hex(text[i]) == -1 || (text[i] >= 'A' && text[i] <= 'F'))
			return false;
		zero = zero && text[i] == '0';
	}
	return may_be_zero || !zero;
}

static void
span_new(struct http_trace *trace)
{
	uint8_t span[8];

	random_bytes(span, sizeof(span));
	hex_encode(span, sizeof(span), trace->span_id);
}

void
trace_new(struct http_trace *trace)
{
	uint8_t id[16];

	memset(trace, 0, sizeof(*trace));
	random_bytes(id, sizeof(id));
	hex_encode(id, sizeof(id), trace->trace_id);
	span_new(trace);
	trace->tracestate = "";
}

bool
trace_read(struct http_trace *trace, const char *parent, const char *state)
{
	size_t len = parent == NULL ? 0 : strlen(parent);

	if (len < PARENT_LEN || parent[2] != '-' || parent[35] != '-' || parent[52] != '-')
		return false;
	if (!lower_hex(parent, 2, true) || memcmp(parent, "ff", 2) == 0 || !lower_hex(parent + 3, 32, false) ||
	    !lower_hex(parent + 36, 16, false) || !lower_hex(parent + 53, 2, true))
		return false;
	if (len > PARENT_LEN && (memcmp(parent, "00", 2) == 0 || parent[PARENT_LEN] != '-'))
		return false;
	memset(trace, 0, sizeof(*trace));
	memcpy(trace->trace_id, parent + 3, 32);
	memcpy(trace->parent_id, parent + 36, 16);
	trace->flags = (unsigned)(http_hex(parent[53]) << 4 | http_hex(parent[54]));
	span_new(trace);
	trace->tracestate = state != NULL && strlen(state) <= STATE_MAX ? state : "";
	return true;
}

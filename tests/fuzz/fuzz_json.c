/*
 * fuzz_json - the reader of client JSON against Jansson: what one takes the other takes, and both give the same value. Where we are
 * stricter on purpose (depth, BOM, size of numbers) ours alone may refuse.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/problem.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problem problem = PROBLEM_INIT;
	json_t *ours = json_read((const char *)data, size, &problem);
	json_t *theirs = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
	json_t *again;

	if (ours == NULL && problem.status != 400)
		abort();		/* a refusal says why */
	if (ours != NULL && (theirs == NULL || !json_equal(ours, theirs)))
		abort();		/* we took what is no JSON, or read something else in it */
	if (ours != NULL) {
		struct buf text = BUF_INIT(0);

		json_write_canonical(&text, ours);
		again = json_read_own(text.data, text.len);
		if (again == NULL || !json_equal(ours, again))
			abort();	/* what we write we read back */
		json_decref(again);
		buf_done(&text);
	}
	json_decref(ours);
	json_decref(theirs);
	problem_done(&problem);
	return 0;
}

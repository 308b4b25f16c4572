/* A form whole and cut in two gives the same parts; names and file names are sound whatever was sent. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/problem.h"
#include "base/utf8.h"

#include "api/http/multipart.h"

struct seen {
	uint64_t	hash;
	size_t		parts, ends, bytes;
	bool		refused;
};

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
mix(struct seen *seen, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		seen->hash = (seen->hash ^ (uint8_t)data[i]) * UINT64_C(1099511628211);
	seen->bytes += len;
}

static void
sound(struct seen *seen, const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len > max || !utf8_valid(text, len))
		abort();
	mix(seen, text, len);
}

static int
on_part(const struct multipart_part *part, void *arg, struct problem *problem)
{
	struct seen *seen = arg;

	(void)problem;
	if (seen->parts != seen->ends || *part->name == '\0')
		abort();
	seen->parts++;
	sound(seen, part->name, MULTIPART_NAME_MAX);
	if (part->filename != NULL) {
		sound(seen, part->filename, MULTIPART_FILENAME_MAX);
		if (strpbrk(part->filename, "/\\\r\n") != NULL)
			abort();
	}
	return 0;
}

static int
on_data(const char *data, size_t len, void *arg, struct problem *problem)
{
	struct seen *seen = arg;

	(void)problem;
	if (len == 0 || seen->parts != seen->ends + 1)
		abort();
	mix(seen, data, len);
	return 0;
}

static int
on_end(void *arg, struct problem *problem)
{
	struct seen *seen = arg;

	(void)problem;
	seen->ends++;
	return 0;
}

static struct seen
run_cut(const uint8_t *data, size_t size, size_t cut)
{
	static const struct multipart_sink sink = { on_part, on_data, on_end };
	struct seen seen;
	struct multipart *multipart;
	struct problem problem = PROBLEM_INIT;
	char *first = malloc(cut + 1), *second = malloc(size - cut + 1);

	memset(&seen, 0, sizeof(seen));
	memcpy(first, data, cut);
	memcpy(second, data + cut, size - cut);
	multipart = multipart_new("B", &sink, &seen);
	seen.refused = multipart_feed(multipart, first, cut, &problem) == -1 ||
	    multipart_feed(multipart, second, size - cut, &problem) == -1 ||
	    multipart_finish(multipart, &problem) == -1;
	if (seen.refused != problem_is_set(&problem) || (!seen.refused && seen.parts != seen.ends))
		abort();
	problem_done(&problem);
	multipart_free(multipart);
	free(first);
	free(second);
	return seen;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole, cut;
	size_t at;

	if (size < 3)
		return 0;
	at = data[0] | (size_t)data[1] << 8;
	data += 2;
	size -= 2;
	whole = run_cut(data, size, 0);
	cut = run_cut(data, size, at % size);
	if (memcmp(&whole, &cut, sizeof(whole)) != 0)
		abort();
	return 0;
}

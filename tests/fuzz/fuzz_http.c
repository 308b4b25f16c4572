/*
 * One connection's bytes through the parser, whole and cut in two: the same events. And held against
 * libhttp-parser: what that refuses we refuse, and where both accept, they see the same requests and the same
 * number of body bytes.
 *
 * Differences that are meant, which end a comparison: methods outside its list (ours are tokens, 405 comes from
 * the router); a tab around Content-Length and Transfer-Encoding, which is a blank by RFC 9110, 5.6.3, but not
 * to it; the bytes after a request that closes the connection, which it calls an error and we never look at; a
 * head that is not complete, since we judge a target when the head is there; trailer fields, which it reads as
 * if they were header fields and we drop; a name that only begins with Transfer-Encoding, which it takes for
 * that.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/http/parser.h"

#include "tests/unit/http_oracle.h"

struct seen {
	size_t		requests, body;
	uint64_t	hash;
	bool		bad, closed, in_head, trailers, longer;
	enum http_fault	fault;
};

struct run {
	struct http_parser	parser;
	struct http_head	head;
	struct seen		seen;
};

static const struct http_parser_limits limits = {
	.target_bytes = 8192, .head_bytes = 16384, .fields = 100, .chunk_ext_bytes = 256, .trailer_bytes = 8192,
};

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
mix(struct seen *seen, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		seen->hash = (seen->hash ^ p[i]) * UINT64_C(1099511628211);
}

static void
look_at_head(struct run *run)
{
	static const char coding[] = "transfer-encoding";
	const struct http_head *head = &run->head;

	mix(&run->seen, head->text.data, head->text.len);
	for (size_t i = 0; i < head->target.params; i++)
		mix(&run->seen, head->target.param[i].value, strlen(head->target.param[i].value));
	for (size_t i = 0; i < head->target.segments; i++)
		mix(&run->seen, head->target.segment[i], strlen(head->target.segment[i]));
	for (size_t i = 0; i < head->fields; i++) {
		const struct http_field *field = &head->field[i];

		if (strlen(head->text.data + field->name) != field->name_len || field->name_len == 0 ||
		    strlen(head->text.data + field->value) != field->value_len)
			abort();
		run->seen.longer = run->seen.longer || (field->name_len > strlen(coding) &&
		    memcmp(head->text.data + field->name, coding, strlen(coding)) == 0);
	}
}

static void
feed(struct run *run, const uint8_t *data, size_t len)
{
	char *copy = malloc(len + 1);		/* of exactly its size: a read past it is seen */
	size_t at = 0, used, piece;
	enum http_parsed event = PARSED_DATA;

	memcpy(copy, data, len);
	while (!run->seen.bad && !run->seen.closed && (event != PARSED_MORE || at < len)) {
		event = http_parser_next(&run->parser, copy + at, len - at, &used, &piece);
		if (used > len - at || piece > used)
			abort();
		at += used;
		run->seen.trailers = run->seen.trailers ||
		    (run->head.content_length == -1 && run->parser.chunked.trailer_fields > 0);
		switch (event) {
		case PARSED_HEAD:
			look_at_head(run);
			break;
		case PARSED_DATA:
			run->seen.body += piece;
			mix(&run->seen, copy + at - piece, piece);
			break;
		case PARSED_END:
			run->seen.requests++;
			run->seen.closed = !run->head.keep_alive;
			http_head_reset(&run->head);
			http_parser_start(&run->parser, &limits, &run->head);
			break;
		case PARSED_BAD:
			run->seen.bad = true;
			run->seen.fault = run->parser.fault;
			break;
		case PARSED_MORE:
			break;
		}
	}
	free(copy);
}

static struct seen
run_cut(const uint8_t *data, size_t size, size_t cut)
{
	struct run run;

	memset(&run, 0, sizeof(run));
	http_head_init(&run.head);
	http_parser_start(&run.parser, &limits, &run.head);
	feed(&run, data, cut);
	feed(&run, data + cut, size - cut);
	run.seen.in_head = http_parser_begun(&run.parser) && !run.head.complete;
	http_head_done(&run.head);
	return run.seen;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole, cut;
	struct oracle oracle;
	size_t at;

	if (size < 2)
		return 0;
	at = data[0] | (size_t)data[1] << 8;
	data += 2;
	size -= 2;
	whole = run_cut(data, size, 0);
	cut = run_cut(data, size, size == 0 ? 0 : at % size);
	if (memcmp(&whole, &cut, sizeof(whole)) != 0)
		abort();
	if (whole.bad || whole.closed || whole.in_head)
		return 0;
	oracle_run(&oracle, (const char *)data, size);
	if (oracle.other_method)
		return 0;
	if (oracle.refused && (whole.trailers || whole.longer || memchr(data, '\t', size) != NULL))
		return 0;
	if (oracle.refused) {
		fprintf(stderr, "only libhttp-parser refuses: %s\n", oracle.why);
		abort();
	}
	if (oracle.requests != whole.requests || oracle.body != whole.body) {
		fprintf(stderr, "%zu requests, %zu bytes; libhttp-parser: %zu, %zu\n", whole.requests, whole.body,
		    oracle.requests, oracle.body);
		abort();
	}
	return 0;
}

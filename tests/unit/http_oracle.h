/*
 * http_oracle - libhttp-parser as a second opinion in tests. Some of its names are ours too; they are renamed
 * while its header is read, and given back after.
 */
#ifndef TESTS_HTTP_ORACLE_H
#define TESTS_HTTP_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define http_parser	oracle_http_parser
#define http_method	oracle_http_method
#define HTTP_GET	ORACLE_GET
#define HTTP_HEAD	ORACLE_HEAD
#define HTTP_POST	ORACLE_POST
#define HTTP_PUT	ORACLE_PUT
#define HTTP_PATCH	ORACLE_PATCH
#define HTTP_DELETE	ORACLE_DELETE
#define HTTP_OPTIONS	ORACLE_OPTIONS
#include <http_parser.h>
#undef http_parser
#undef http_method
#undef HTTP_GET
#undef HTTP_HEAD
#undef HTTP_POST
#undef HTTP_PUT
#undef HTTP_PATCH
#undef HTTP_DELETE
#undef HTTP_OPTIONS

struct oracle {
	bool		 refused;
	bool		 other_method;	/* refused for a method that is not in its list */
	const char	*why;
	size_t		 requests, body;
};

static inline int
oracle_complete(oracle_http_parser *parser)
{
	struct oracle *oracle = parser->data;

	oracle->requests++;
	return 0;
}

static inline int
oracle_body(oracle_http_parser *parser, const char *data, size_t len)
{
	struct oracle *oracle = parser->data;

	(void)data;
	oracle->body += len;
	return 0;
}

/* Upgrade is not for us to follow: the bytes after such a request are the next one's. */
static inline int
oracle_headers(oracle_http_parser *parser)
{
	parser->upgrade = 0;
	return 0;
}

static inline void
oracle_run(struct oracle *oracle, const char *data, size_t len)
{
	oracle_http_parser parser;
	http_parser_settings settings;
	size_t used;

	memset(oracle, 0, sizeof(*oracle));
	http_parser_init(&parser, HTTP_REQUEST);
	http_parser_set_max_header_size(1 << 20);
	memset(&settings, 0, sizeof(settings));
	settings.on_message_complete = oracle_complete;
	settings.on_body = oracle_body;
	settings.on_headers_complete = oracle_headers;
	parser.data = oracle;
	used = len == 0 ? 0 : http_parser_execute(&parser, &settings, data, len);
	oracle->other_method = HTTP_PARSER_ERRNO(&parser) == HPE_INVALID_METHOD;
	oracle->refused = used < len && !parser.upgrade;
	oracle->why = http_errno_name(HTTP_PARSER_ERRNO(&parser));
}

#endif

/* openapi - the document of the HTTP API, as /openapi.json serves it. */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "api/commands/command.h"
#include "api/resources/api.h"

int
command_openapi(struct settings *settings, int count, char **words)
{
	json_t *document = api_openapi();
	int rc = json_dumpf(document, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);

	(void)settings;
	(void)count;
	(void)words;
	putchar('\n');
	json_decref(document);
	return rc == 0 && fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

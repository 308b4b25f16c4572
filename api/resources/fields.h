/* fields - fields= of a list: of each row the named members alone, beside object and id. api/README.md section 6. */
#ifndef API_RESOURCES_FIELDS_H
#define API_RESOURCES_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct call;
struct schema;

#define FIELDS_MAX	64

struct fields {
	const char	*names[FIELDS_MAX];	/* of the schema */
	size_t		 count;
	bool		 all;			/* nothing was named */
};

/* Reads fields= of the request. false: it was refused (400). */
bool	fields_read(struct call *call, const struct schema *schema, struct fields *fields);
/* Appends the JSON object `text`, without what is not wanted. What include= added is. */
void	fields_write(struct buf *out, const struct fields *fields, const char *text, size_t len);

#endif

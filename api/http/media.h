/*
 * media - media types, and the lists of RFC 9110 that requests carry: Accept, Content-Type, Prefer, entity
 * tags. Pure.
 */
#ifndef HTTP_MEDIA_H
#define HTTP_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEDIA_MAX 128

struct media_type {
	char	type[MEDIA_MAX];	/* "application/json", lower case */
	char	charset[32];		/* lower case, "" when absent */
	char	boundary[71];		/* RFC 2046: 1-70 characters, "" when absent */
};

/* Reads a Content-Type (RFC 9110, 8.3.1). false: not one (also: a parameter twice, or longer than fits). */
bool	media_type_parse(const char *text, struct media_type *media);
/* "type" is wanted, with no charset or utf-8. text NULL: false. */
bool	media_type_is(const char *text, const char *type);

/*
 * Of offered[0..n), the index of the one that the Accept field likes best (specific before wild, then q, then
 * our order). -1: none is acceptable. accept NULL or unreadable: 0.
 */
int	accept_choose(const char *accept, const char *const *offered, size_t n);
/*
 * The same for Accept-Language by primary subtag ("nl-BE" takes "nl"), 0 when nothing fits: a language is never
 * refused.
 */
int	accept_language(const char *accept, const char *const *offered, size_t n);

/* An entity tag as `"abc"` or `W/"abc"`? */
bool	etag_valid(const char *text);
/*
 * Does the list (If-Match, If-None-Match; or "*") hold `etag`? weak: W/ is not looked at (If-None-Match), else
 * both must be strong. 1: yes, 0: no, -1: the list is malformed.
 */
int	etag_list_match(const char *list, const char *etag, bool weak);

struct prefer {				/* RFC 7240; unknown preferences are ignored, the first of two counts */
	bool	return_minimal;
	bool	return_representation;
	int	wait_s;			/* -1: absent */
};
void	prefer_parse(const char *text, struct prefer *prefer);	/* text NULL: nothing preferred */

/* Is `token` (any case) a member of the comma separated list? */
bool	list_has(const char *list, const char *token);

#endif

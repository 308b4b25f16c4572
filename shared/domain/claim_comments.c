/*
 * claim_comments - remarks. A comment lives in the history alone: the data of its last entry is the comment as
 * stored, with its text and author as personal members. The head counts them. They change neither state nor
 * revision of the claim.
 */
#include <string.h>

#include "base/json.h"
#include "domain/access.h"
#include "domain/claim_internal.h"

#define COMMENT_EDIT_MS	(15 * 60 * 1000LL)	/* after that it stays as it was written */

static struct event *comment_event(struct deciding *d, const char *type, const json_t *comment);
static void	count_comments(struct deciding *d, struct event *event, bool internal, int by);

static const json_t *
stored_comment(const struct deciding *d)
{
	return json_get(d->command->facts, "comment");
}

static bool
is_internal(const json_t *comment)
{
	return strcmp(json_str(comment, "visibility"), "internal") == 0;
}

int
permit_own_comment(struct deciding *d)
{
	const json_t *comment = stored_comment(d);
	const char *author_id = json_str(json_get(comment, "author"), "id");

	if (comment == NULL || json_get(comment, "removed_at") != NULL ||
	    (is_internal(comment) && !actor_sees_internal(d->world->actor))) {
		problem_set(d->problem, "not_found", "There is no such comment");
		return -1;
	}
	if (author_id == NULL || strcmp(author_id, d->world->actor->id) != 0) {
		problem_set(d->problem, "forbidden", "Only its author can change or remove a comment");
		return -1;
	}
	return 0;
}

int
guard_fresh_comment(struct deciding *d)
{
	int64_t made_ms;

	if (time_parse(json_str(stored_comment(d), "created_at"), &made_ms) &&
	    d->world->now_ms - made_ms <= COMMENT_EDIT_MS)
		return 0;
	return claim_refuse_state(d, "A comment can be changed for 15 minutes");
}

/* takes nothing: `comment` is a whole comment. Its personal members are sealed with the entry. */
static struct event *
comment_event(struct deciding *d, const char *type, const json_t *comment)
{
	struct event *event = claim_emit(d, type);
	const char *member;
	json_t *value;

	event->visibility = is_internal(comment) ? VISIBLE_INTERNAL : VISIBLE_ALL;
	json_object_foreach ((json_t *)(uintptr_t)comment, member, value) {
		if (strcmp(member, "text") == 0 || strcmp(member, "author") == 0)
			event_personal(event, member, json_incref(value));
		else
			event_data(event, member, json_incref(value));
	}
	event_ref(event, json_str(comment, "comment_id"));
	memcpy(d->outcome->item_id, json_str(comment, "comment_id"), ID_SIZE);
	return event;
}

static void
count_comments(struct deciding *d, struct event *event, bool internal, int by)
{
	const char *member = internal ? "comments_internal" : "comments";

	event_head(event, member, json_integer(json_int(d->head, member) + by));
}

int
decide_comment_add(struct deciding *d)
{
	const json_t *target = json_get(d->body, "target");
	struct event *event;
	char id[ID_SIZE];

	if (is_internal(d->body) && !access_allows(d->world->actor, MAY_SEE_INTERNAL))
		problem_add(d->problem, "body", "#/visibility", "invalid_enum", NULL,
		    "Your comments are for all who see the claim");
	if (target != NULL)
		check_target(d, target, "#/target");
	if (problem_is_set(d->problem))
		return -1;
	d->world->new_id(d->world, "cmt", id);
	json_set_str(d->body, "comment_id", id);
	json_set(d->body, "author", actor_json(d->world->actor));
	json_set_str(d->body, "created_at", d->now);
	json_set_str(d->body, "updated_at", d->now);
	json_set_int(d->body, "revision", 1);
	event = comment_event(d, "comment.added", d->body);
	count_comments(d, event, is_internal(d->body), 1);
	return 0;
}

int
decide_comment_update(struct deciding *d)
{
	json_t *comment = json_copy((json_t *)(uintptr_t)stored_comment(d));

	memcpy(d->outcome->item_id, d->command->item_id, ID_SIZE);
	if (json_object_size(d->body) > 0) {
		json_object_update(comment, d->body);
		claim_item_changed(d, stored_comment(d), comment);
		comment_event(d, "comment.updated", comment);
	}
	json_decref(comment);
	return 0;
}

/* The entry that it was added with stays; the one of its removal has no text. */
int
decide_comment_remove(struct deciding *d)
{
	json_t *comment = json_copy((json_t *)(uintptr_t)stored_comment(d));
	struct event *event;

	claim_item_changed(d, stored_comment(d), comment);
	json_set_str(comment, "removed_at", d->now);
	json_set(comment, "text", NULL);
	event = comment_event(d, "comment.removed", comment);
	count_comments(d, event, is_internal(comment), -1);
	json_decref(comment);
	return 0;
}

/* users - the people of an organisation and the API tokens that act for them: its administrators run them. */
#include "api/resources/people_command.h"
#include "base/json.h"
#include "schema/resources.h"

static void	link_render(struct execution *x, struct buf *out);

#define U "/v1/users"
#define T "/v1/tokens"
#define MANAGES .permission = MAY_MANAGE_PEOPLE
#define COMMAND(of, name) .target = of, .command = name, .handle = people_command, .render = people_render

static const struct route rows[] = {
	GET(U, "list_users", "Users that the caller manages", MANAGES, .flags = ROUTE_LIST | ROUTE_ACCESS, .target = "usr",
	    .reply = &schema_user, .status = 200, .query = "organization_id state limit cursor", .handle = people_list),
	POST(U, "create_user", "Add a user", MANAGES, .flags = ROUTE_CREATES | ROUTE_ACCESS, COMMAND("usr", "create"),
	    .body = &schema_user, .use = SCHEMA_POST, .reply = &schema_user, .status = 201,
	    .errors = ERRORS("already_exists")),
	GET(U "/{id}", "get_user", "A user", MANAGES, .flags = ROUTE_ACCESS, .target = "usr", .reply = &schema_user,
	    .status = 200, .handle = people_get),
	PATCH(U "/{id}", "update_user", "Change, disable or enable a user", MANAGES, .flags = ROUTE_ACCESS,
	    COMMAND("usr", "update"), .body = &schema_user, .use = SCHEMA_PATCH, .reply = &schema_user, .status = 200,
	    .errors = ERRORS("already_exists", "in_use", "conflict_of_interest")),
	DELETE(U "/{id}", "disable_user", "Disable a user: from now on he does not get in", MANAGES,
	    .flags = ROUTE_ACCESS | ROUTE_NO_BODY, COMMAND("usr", "remove"), .status = 204,
	    .errors = ERRORS("in_use", "conflict_of_interest")),
	POST(U "/{id}/password-link", "make_password_link", "A new link for a user to set his password; the one before ends", MANAGES,
	    .flags = ROUTE_ACCESS, .target = "usr", .command = "link", .body = &schema_empty, .use = SCHEMA_POST,
	    .reply = &schema_password_link, .status = 200, .errors = ERRORS("invalid_state"), .handle = people_command,
	    .render = link_render),
	GET(T, "list_tokens", "API tokens that the caller manages", MANAGES, .flags = ROUTE_LIST | ROUTE_ACCESS,
	    .target = "tok", .reply = &schema_token, .status = 200, .query = "organization_id user_id limit cursor",
	    .handle = people_list),
	POST(T, "create_token", "Make an API token; its secret is shown this once", MANAGES,
	    .flags = ROUTE_CREATES | ROUTE_ACCESS, COMMAND("tok", "create"), .body = &schema_token, .use = SCHEMA_POST,
	    .reply = &schema_token, .status = 201),
	GET(T "/{id}", "get_token", "An API token", MANAGES, .flags = ROUTE_ACCESS, .target = "tok",
	    .reply = &schema_token, .status = 200, .handle = people_get),
	PATCH(T "/{id}", "update_token", "Rename a token", MANAGES, .flags = ROUTE_ACCESS, COMMAND("tok", "update"),
	    .body = &schema_token, .use = SCHEMA_PATCH, .reply = &schema_token, .status = 200),
	DELETE(T "/{id}", "revoke_token", "Revoke a token: from now on it is refused", MANAGES,
	    .flags = ROUTE_ACCESS | ROUTE_NO_BODY, COMMAND("tok", "remove"), .status = 204),
};
ROUTE_TABLE(users, rows);

static void
link_render(struct execution *x, struct buf *out)
{
	json_t *link = json_object();

	json_set_str(link, "url", json_str(x->secrets, "url"));
	json_set_str(link, "expires_at", json_str(x->world.target->head, "password_link_until"));
	schema_write(out, &schema_password_link, link, NULL, NULL);
	json_decref(link);
}

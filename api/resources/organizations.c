/* organizations - the vendor and its partners, and their locations: the vendor's programme admins run them. */
#include "api/resources/people_command.h"
#include "schema/resources.h"

#define O "/v1/organizations"
#define L "/v1/locations"
#define SEES .permission = MAY_SEE_ORGANIZATIONS, .status = 200
#define RUNS .permission = MAY_RUN_PROGRAMS, .handle = people_command, .render = people_render

static const struct route rows[] = {
	GET(O, "list_organizations", "Organisations: all for the vendor's people, one's own", SEES,
	    .flags = ROUTE_LIST | ROUTE_ACCESS, .target = "org", .reply = &schema_organization,
	    .query = "state limit cursor", .handle = people_list),
	POST(O, "create_organization", "Add a partner", RUNS, .flags = ROUTE_CREATES | ROUTE_ACCESS, .target = "org",
	    .command = "create", .body = &schema_organization, .use = SCHEMA_POST, .reply = &schema_organization,
	    .status = 201),
	GET(O "/{id}", "get_organization", "An organisation", SEES, .flags = ROUTE_ACCESS, .target = "org",
	    .reply = &schema_organization, .handle = people_get),
	PATCH(O "/{id}", "update_organization", "Change or suspend an organisation", RUNS, .flags = ROUTE_ACCESS,
	    .target = "org", .command = "update", .body = &schema_organization, .use = SCHEMA_PATCH,
	    .reply = &schema_organization, .status = 200, .errors = ERRORS("in_use")),
	GET(L, "list_locations", "Locations that the caller may see", SEES, .flags = ROUTE_LIST | ROUTE_ACCESS,
	    .target = "loc", .reply = &schema_location, .query = "organization_id state limit cursor",
	    .handle = people_list),
	POST(L, "create_location", "Add a location of a partner", RUNS, .flags = ROUTE_CREATES | ROUTE_ACCESS,
	    .target = "loc", .command = "create", .body = &schema_location, .use = SCHEMA_POST,
	    .reply = &schema_location, .status = 201),
	GET(L "/{id}", "get_location", "A location", SEES, .flags = ROUTE_ACCESS, .target = "loc",
	    .reply = &schema_location, .handle = people_get),
	PATCH(L "/{id}", "update_location", "Change a location, or let it take no new claims", RUNS,
	    .flags = ROUTE_ACCESS, .target = "loc", .command = "update", .body = &schema_location,
	    .use = SCHEMA_PATCH, .reply = &schema_location, .status = 200),
};
ROUTE_TABLE(organizations, rows);

/* evidence - the items that a partner adds to a claim: invoices, statements of in-house cost, documents, metrics, comments. */
#include "schema/rows.h"

enum {
	LINE_ID_MAX_CHARS	= 40,
	LINE_TEXT_MAX_CHARS	= 500,
	HOURS_MAX		= 1000000,		/* 10,000.00 */
	QUANTITY_MAX		= 1000000000,		/* 100,000.0000 */
	STATEMENT_MAX_CHARS	= 4000,
	MENTIONS_MAX		= 20,
	FILE_NAME_MAX_CHARS	= 255,
};
#define METRIC_DIGITS	4
#define METRIC_MAX	1000000000000000LL		/* 100,000,000,000.0000 */
#define FILE_MAX_BYTES	(1LL << 40)			/* /v1/me has the limit that this server is set to */

static const char *const extracted_sources[] = { "xml", "text", "ocr", NULL };
static const char *const statement_statuses[] = { "none", "rendering", "ready", NULL };
static const char *const purposes[] = { "proof", "invoice", "csr", "other", NULL };
static const char *const document_statuses[] = { "awaiting_content", "uploading", "scanning", "processing", "ready", "rejected",
	"failed", NULL };
static const char *const document_reasons[] = { "infected", "encrypted", "unreadable", "type_mismatch", "too_complex", "crashed",
	NULL };
static const char *const visibilities[] = { "all", "internal", NULL };

static const struct member supplier_members[] = {
	{ STRING("name", WR_REQ, NAME_MAX_CHARS, "As on the invoice.", "Studio Noord") },
	{ STRING("tax_id", WR_NULL, TAX_ID_MAX_CHARS, "VAT or tax number.", "NL001234567B01") },
	{ COUNTRY("country", WR_NULL, "ISO 3166-1 code.", "NL") },
	END
};
static const struct schema schema_supplier = { "supplier", "Who sent the invoice.", supplier_members, 0 };

static const struct member invoice_line_members[] = {
	{ STRING("id", WR_NULL, LINE_ID_MAX_CHARS, "Name of the line within the invoice; left out: its number.", "1") },
	{ STRING("description", WR_REQ, LINE_TEXT_MAX_CHARS, "What it is for.", "Production") },
	{ FORMAT("expense_type", WR_NULL, "key", KEY_MAX_CHARS, "One of the activity's expense types.", "agency") },
	{ DECIMAL("quantity", WR | MEMBER_GIVEN, 4, 0, QUANTITY_MAX, "How many.", "1"), FALLBACK("1") },
	{ MONEY("net", WR_REQ, -MONEY_MAX_MINOR, "Net amount of the line; negative for a discount.",
	    {"amount": "4000.00", "currency": "EUR"}) },
	{ BOOL("eligible", WR, "Whether the line is claimed.", true), FALLBACK(true) },
	END
};
static const struct schema schema_invoice_line = { "invoice_line", "A line of an invoice.", invoice_line_members, 0 };

static const struct member extracted_members[] = {
	{ STRING("field", RO, KEY_MAX_CHARS, "Which member of the invoice.", "number") },
	{ ANY("value", RO, "What was read.", "2026-771") },
	{ ENUM("source", RO, extracted_sources, "Where it was read.", "xml") },
	{ DECIMAL("confidence", RO, 2, 0, 100, "From 0.00 to 1.00.", "1.00") },
	{ ID("document_id", RO, "doc", "The document.", "doc_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	END
};
static const struct schema schema_extracted = { "extracted", "A value that was read from a document.", extracted_members, 0 };

static const struct member invoice_members[] = {
	{ STRING("number", WR_REQ, NUMBER_MAX_CHARS, "As on the invoice.", "2026-771") },
	{ OBJECT("supplier", WR_REQ, schema_supplier, "Who sent it.") },
	{ DATE("invoice_date", WR_REQ, "As on the invoice.", "2026-09-12") },
	{ DATE("service_from", WR_NULL, "First day of the service.", "2026-09-10") },
	{ DATE("service_to", WR_NULL, "Last day of the service.", "2026-09-10") },
	{ MONEY("net", WR_REQ, 0, "Net total.", {"amount": "4000.00", "currency": "EUR"}) },
	{ MONEY("tax", WR_REQ, 0, "Tax total.", {"amount": "840.00", "currency": "EUR"}) },
	{ MONEY("gross", WR_REQ, 0, "Net and tax.", {"amount": "4840.00", "currency": "EUR"}) },
	{ MONEY("claimed", WR_NULL, 0, "What is claimed of it; null in a request: net times eligible_share.",
	    {"amount": "4000.00", "currency": "EUR"}) },
	{ DECIMAL("eligible_share", WR, 2, 0, 100, "The part of net that is eligible, 0.00 to 1.00.", "1.00"), FALLBACK("1.00") },
	{ DATE("paid_on", WR_NULL, "When the supplier was paid.", "2026-09-20") },
	{ TEXT("note", WR_NULL | PERSON, NOTE_MAX_CHARS, "What the reviewer should know.", "Half of it was paid in advance") },
	{ IDS("document_ids", WR, DOCUMENTS_MAX, "doc", "The scans of it.", ["doc_01J8ZQ4V6T3K9M2N5P7R8S9T00"]) },
	{ LIST("lines", WR, 0, LINES_MAX, schema_invoice_line, "Its lines, if they matter.") },
	{ LIST("extracted", RO, 0, 200, schema_extracted, "What was read from its documents.") },
	{ OBJECT("review", RO_NULL, schema_review, "What the last decision says of it.") },
	END
};
const struct schema schema_invoice = { "invoice", "A third party's invoice.", invoice_members, SCHEMA_RESOURCE | SCHEMA_ITEM };

static const struct member csr_line_members[] = {
	{ STRING("id", WR_NULL, LINE_ID_MAX_CHARS, "Name of the line within the statement; left out: its number.", "1") },
	{ STRING("person", WR_NULL | PERSON, PERSON_MAX_CHARS, "Who did the work.", "A. Visser") },
	{ STRING("role", WR_NULL, PERSON_MAX_CHARS, "In which role.", "designer") },
	{ DECIMAL("hours", WR_REQ, 2, 1, HOURS_MAX, "Hours worked.", "20.00") },
	{ MONEY("rate", WR_REQ, 0, "Cost of an hour.", {"amount": "45.00", "currency": "EUR"}) },
	{ DATE("from", WR_NULL, "First day.", "2026-09-01") },
	{ DATE("to", WR_NULL, "Last day.", "2026-09-09") },
	{ MONEY("amount", RO, 0, "Hours times rate.", {"amount": "900.00", "currency": "EUR"}) },
	END
};
static const struct schema schema_csr_line = { "csr_line", "Work of one person or role.", csr_line_members, 0 };

static const struct member certified_members[] = {
	{ STRING("by_name", WR_REQ | PERSON, PERSON_MAX_CHARS, "Who certifies.", "M. Jansen") },
	{ STRING("by_title", WR_NULL, PERSON_MAX_CHARS, "In which function.", "Head of marketing") },
	{ TIME("at", WR_NULL, "When it was certified.", "2026-09-14T08:00:00.000Z") },
	END
};
static const struct schema schema_certified = { "certified", "Who certifies the statement.", certified_members, 0 };

static const struct member csr_members[] = {
	{ STRING("title", WR_REQ, NAME_MAX_CHARS, "What the work was.", "In-house production") },
	{ TEXT("statement", WR_NULL, STATEMENT_MAX_CHARS, "What is certified, in words.", "We certify that this work was done.") },
	{ LIST("lines", WR_REQ, 1, LINES_MAX, schema_csr_line, "Who worked for how long.") },
	{ MONEY("total", RO, 0, "Sum of the lines.", {"amount": "900.00", "currency": "EUR"}) },
	{ MONEY("claimed", WR_NULL, 0, "What is claimed of it; null in a request: the total.",
	    {"amount": "900.00", "currency": "EUR"}) },
	{ OBJECT("certified", WR_NULL, schema_certified, "Who certifies it.") },
	{ ENUM("statement_status", RO, statement_statuses, "Whether the statement is there as a document.", "none") },
	{ TEXT("note", WR_NULL | PERSON, NOTE_MAX_CHARS, "What the reviewer should know.", "Evenings only") },
	{ IDS("document_ids", WR, DOCUMENTS_MAX, "doc", "Documents that belong to it.", []) },
	{ OBJECT("review", RO_NULL, schema_review, "What the last decision says of it.") },
	END
};
const struct schema schema_csr = { "csr", "A certified statement of in-house cost.", csr_members,
	SCHEMA_RESOURCE | SCHEMA_ITEM };

static const struct member preview_members[] = {
	{ INT("page", RO, 1, INT64_MAX, "Counted from 1.", 1) },
	{ INT("width", RO, 1, INT64_MAX, "Pixels.", 800) },
	{ INT("height", RO, 1, INT64_MAX, "Pixels.", 1131) },
	{ STRING("url", RO, URL_MAX_CHARS, "Where it is.", "/v1/claims/clm_../documents/doc_../previews/1") },
	END
};
static const struct schema schema_preview = { "preview", "An image of a page.", preview_members, 0 };

static const struct member document_members[] = {
	{ ENUM("purpose", NEW_NULL, purposes, "What it is for; left out: as the document it replaces, else proof.", "proof") },
	{ ENUM("kind", WR_NULL, code_evidence_kinds, "Evidence kind of a proof.", "agenda") },
	{ FORMAT("requirement", WR_NULL, "key", KEY_MAX_CHARS, "Key of the requirement that it should meet.", "poe_event") },
	{ STRING("name", WR_REQ | PERSON, FILE_NAME_MAX_CHARS, "Name of the file.", "agenda.pdf") },
	{ TEXT("note", WR_NULL | PERSON, NOTE_MAX_CHARS, "What it shows; a proof needs it before submit.", "Agenda as mailed") },
	{ STRING("media_type", RO_NULL, REFERENCE_MAX_CHARS, "Real type, from its content.", "application/pdf") },
	{ INT("size", NEW_NULL, 1, FILE_MAX_BYTES, "Bytes.", 182044) },
	{ FORMAT("sha256", NEW_NULL, "sha256", 64, "Digest of its content.",
	    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08") },
	{ ENUM("status", RO, document_statuses, "How far it is.", "ready") },
	{ ENUM("status_reason", RO_NULL, document_reasons, "Why it was rejected or failed.", null) },
	{ INT("pages", RO_NULL, 0, INT64_MAX, "Pages, once counted.", 2) },
	{ INT("version", RO, 1, INT64_MAX, "One more than that of the document it replaces.", 1) },
	{ ID("replaces", NEW_NULL, "doc", "The document whose place it takes.", "doc_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("uploaded_by", RO, NULL, "Who uploaded it.", "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("content_url", RO_NULL, URL_MAX_CHARS, "Where its bytes are.", "/v1/claims/clm_../documents/doc_../content") },
	{ LIST("previews", RO, 0, 100, schema_preview, "Images of its pages.") },
	{ OBJECT("review", RO_NULL, schema_review, "What feedback or a decision says of it.") },
	{ ID("invoice_id", NEW_NULL | MEMBER_HIDDEN, "ivc", "The invoice to whose document_ids it is added.",
	    "ivc_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	END
};
const struct schema schema_document = { "document", "An uploaded file: a proof, a scan of an invoice.", document_members,
	SCHEMA_RESOURCE | SCHEMA_ITEM };

static const struct member metric_members[] = {
	{ FORMAT("key", WR_REQ, "key", KEY_MAX_CHARS, "One of the activity's metrics.", "attendees") },
	{ STRING("label", RO, NAME_MAX_CHARS, "For people.", "Attendees") },
	{ DECIMAL("value", WR_REQ | MEMBER_GIVEN, METRIC_DIGITS, 0, METRIC_MAX, "The number.", "84") },
	{ STRING("unit", RO_NULL, KEY_MAX_CHARS, "Its unit.", "people") },
	{ TEXT("note", WR_NULL | PERSON, NOTE_MAX_CHARS, "How it was counted.", "Counted at the door") },
	{ IDS("document_ids", WR, DOCUMENTS_MAX, "doc", "Documents that show it.", []) },
	{ OBJECT("review", RO_NULL, schema_review, "What the last decision says of it.") },
	END
};
const struct schema schema_metric = { "metric", "A number that shows the effect: reach, clicks, attendees.", metric_members,
	SCHEMA_RESOURCE | SCHEMA_ITEM };

static const struct member comment_members[] = {
	{ TEXT("text", WR_REQ | PERSON, TEXT_MAX_CHARS, "The comment.", "Agenda is in") },
	{ ENUM("visibility", NEW, visibilities, "internal: for the vendor's people only.", "all"), FALLBACK("all") },
	{ OBJECT("author", RO, schema_actor, "Who wrote it.") },
	{ OBJECT("target", NEW_NULL, schema_target, "What it is about; null: the claim.") },
	{ IDS("mentions", WR, MENTIONS_MAX, NULL, "Users and collaborators who should look.",
	    ["usr_01J8ZQ4V6T3K9M2N5P7R8S9T00"]) },
	END
};
const struct schema schema_comment = { "comment", "A remark; it never changes the claim's state.", comment_members,
	SCHEMA_RESOURCE | SCHEMA_ITEM };

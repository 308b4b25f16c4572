/*
 * The stage `text`: the words of a PDF's text layer. pdftotext finds them in the exec sandbox; here
 * its answer is read.
 */
#include "workers/documents/extract/stage.h"

#include "base/buf.h"
#include "workers/documents/extract/bbox.h"
#include "workers/documents/extract/emit.h"

#define TEXT_MAX	(4u << 20)	/* bytes of text that are kept */
#define TEXT_PAGES	200u		/* pages that are read */
#define TEXT_PAGES_ARG	"200"

/*
 * A layer with fewer letters and digits, in a thousand characters, comes from fonts that do not say
 * what they show.
 */
#define USABLE_PERMILLE	500u

static const char *const pdftotext[] = { "/usr/bin/pdftotext", "-bbox-layout", "-enc", "UTF-8",
	"-l", TEXT_PAGES_ARG, "-", "-", NULL };

/* poppler says it, exits with 0, and may have found words all the same. */
static bool
out_of_memory(const struct tool *tool)
{
	return bytes_find(tool->err, "Out of memory") != NULL || bytes_find(tool->err, "bad_alloc") != NULL;
}

static enum stage_status
text_run(const struct doc *in, struct emit *out)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	struct bbox bbox;
	unsigned permille;
	bool whole;

	if (in->tool.exit_code != 0 && !in->tool.cut)
		return out_of_memory(&in->tool) ? STAGE_MEMORY : STAGE_FAILED;
	whole = bbox_read(in->tool.out, &text, &bbox) && !in->tool.cut && in->facts.pages <= TEXT_PAGES;
	permille = bbox.solid > 0 ? (unsigned)(bbox.letters * 1000 / bbox.solid) : 0;
	emit_value(out, "text", "{\"pages\":%u,\"chars\":%zu,\"letters_permille\":%u,\"usable\":%s}", bbox.pages,
	    bbox.chars, permille, permille >= USABLE_PERMILLE ? "true" : "false");
	if (text.len > 0)
		emit_blob(out, "text", "text/plain; charset=utf-8", text.data, text.len);
	if (!whole)
		emit_limit(out, "/text");
	buf_done(&text);
	if (out_of_memory(&in->tool))
		return STAGE_MEMORY;
	return whole ? STAGE_OK : STAGE_LIMIT;
}

const struct stage stage_text = {
	.name = "text",
	.lane = LANE_FAST,
	.needs = MEDIA_BIT(MEDIA_PDF),
	.limits = { .cpu_ms = 10000, .wall_ms = 30000, .memory = 512u << 20, .out_bytes = 5u << 20 },
	.tool = pdftotext,
	.run = text_run,
};

/*
 * The sniffer and the reader of pdftotext's answer, outside of any sandbox: no input makes them
 * read beyond its end or take long. Seeds: tests/corpus/files. The first byte chooses a name and a
 * declared type, which decide what text is.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "base/xmalloc.h"
#include "workers/documents/extract/bbox.h"
#include "workers/documents/extract/sniff.h"

static const struct {
	const char	*name, *declared;
} hints[] = {
	{ NULL, NULL }, { "a.csv", "text/csv" }, { "a.eml", NULL }, { "a.pdf", "application/pdf" },
	{ "a", "text/plain; charset=x" },
};

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(struct bytes b)
{
	struct buf text = BUF_INIT(4096);
	struct bbox bbox;

	bbox_read(b, &text, &bbox);
	if (text.len > 4096 || bbox.chars > text.len || bbox.letters > bbox.solid || bbox.solid > bbox.chars ||
	    !utf8_valid(text.data != NULL ? text.data : "", text.len))
		abort();
	buf_done(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned hint = size > 0 ? data[0] % ARRAY_SIZE(hints) : 0;
	struct sniffed s;

	sniff_bytes((struct bytes){ data, size }, hints[hint].name, hints[hint].declared, NULL, &s);
	if (s.end > size || s.width > PIXELS_MAX || s.height > PIXELS_MAX || s.pages > PAGES_MAX ||
	    s.media >= MEDIA_COUNT || s.verdict >= VERDICT_COUNT || s.type[0] == '\0')
		abort();
	check_text((struct bytes){ data, size });
	return 0;
}

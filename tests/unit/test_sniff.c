/* What a file is, by its bytes: made here one by one; the corpus goes through test_extractor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <magic.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/xmalloc.h"
#include "workers/documents/extract/bbox.h"
#include "workers/documents/extract/sniff.h"
#include "workers/documents/extract/zip.h"

static struct sniffed s;

static void
sniff(const void *data, size_t len, const char *name, const char *declared)
{
	/* A copy of its own size, so that a sanitizer sees every read beyond it. */
	uint8_t *copy = xmalloc(len);

	memcpy(copy, data, len);
	sniff_bytes((struct bytes){ copy, len }, name, declared, NULL, &s);
	free(copy);
}

#define SNIFF(literal, name, declared) sniff(literal, sizeof(literal) - 1, name, declared)

/*
 * JPEG: EXIF with orientation 6, a frame of 384 x 512, a scan with a stuffed byte and a restart,
 * the end.
 */
#define JPEG_EXIF "\xff\xd8\xff\xe1\x00\x22" "Exif\0\0" \
	"MM\0*\0\0\0\x08\0\x01" "\x01\x12\0\x03\0\0\0\x01\0\x06\0\0" "\0\0\0\0"
#define JPEG_FRAME "\xff\xc2\x00\x0b\x08\x02\x00\x01\x80\x01\x01\x11\x00"
#define JPEG_SCAN "\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" "\x12\xff\x00\x34\xff\xd0\x56"
#define JPEG_END "\xff\xd9"

static void
test_jpeg_size_is_as_displayed(void **state)
{
	(void)state;
	SNIFF(JPEG_EXIF JPEG_FRAME JPEG_SCAN JPEG_END, "a.jpg", "image/jpeg");
	assert_int_equal(s.media, MEDIA_JPEG);
	assert_int_equal(s.verdict, VERDICT_READ);
	assert_int_equal(s.width, 512);
	assert_int_equal(s.height, 384);
	assert_int_equal(s.marks, 0);
	assert_int_equal(s.end, sizeof(JPEG_EXIF JPEG_FRAME JPEG_SCAN JPEG_END) - 1);
}

static void
test_jpeg_height_may_come_after_the_scan(void **state)
{
	(void)state;
	SNIFF("\xff\xd8"
	      "\xff\xc0\x00\x0b\x08\x00\x00\x01\x80\x01\x01\x11\x00" JPEG_SCAN
	      "\xff\xdc\x00\x04\x01\x00" JPEG_END,
	    NULL, NULL);
	assert_int_equal(s.width, 384);
	assert_int_equal(s.height, 256);
}

static void
test_jpeg_without_frame_is_unreadable(void **state)
{
	(void)state;
	SNIFF("\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xd9", NULL, NULL);
	assert_int_equal(s.media, MEDIA_JPEG);
	assert_int_equal(s.verdict, VERDICT_UNREADABLE);
	assert_int_equal(s.marks, SNIFF_CORRUPT);
}

static void
test_archive_behind_a_picture_is_noticed(void **state)
{
	(void)state;
	SNIFF(JPEG_EXIF JPEG_FRAME JPEG_SCAN JPEG_END "PK\3\4rest", NULL, NULL);
	assert_int_equal(s.marks, SNIFF_POLYGLOT);
	SNIFF(JPEG_EXIF JPEG_FRAME JPEG_SCAN JPEG_END "\0\0\0\0", NULL, NULL);
	assert_int_equal(s.marks, 0);
	SNIFF(JPEG_EXIF JPEG_FRAME JPEG_SCAN JPEG_END "SEFT phone's own data", NULL, NULL);
	assert_int_equal(s.marks, 0);
	SNIFF("GIF89a\x01\0\x01\0\0\0\0\x21\xfe\x07%PDF-1."
	      "\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x01\x01\0\x3b",
	    NULL, NULL);
	assert_int_equal(s.media, MEDIA_GIF);
	assert_int_equal(s.marks, SNIFF_POLYGLOT);
}

static void
test_webp_sizes_of_its_three_forms(void **state)
{
	(void)state;
	SNIFF("RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x7f\x02\0\xdf\x01\0", NULL, NULL);
	assert_int_equal(s.width, 640);
	assert_int_equal(s.height, 480);
	SNIFF("RIFF\x16\0\0\0WEBPVP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\x80\x42\xe0\x81", NULL, NULL);
	assert_int_equal(s.width, 640);
	assert_int_equal(s.height, 480);
	SNIFF("RIFF\x12\0\0\0WEBPVP8L\x05\0\0\0\x2f\x7f\xc2\x77\0\0", NULL, NULL);
	assert_int_equal(s.width, 640);
	assert_int_equal(s.height, 480);
	SNIFF("RIFF\x04\0\0\0WEBP", NULL, NULL);
	assert_int_equal(s.verdict, VERDICT_UNREADABLE);
}

static void
test_tiff_directories_may_form_a_ring(void **state)
{
	(void)state;
	SNIFF("II*\0\x08\0\0\0"
	      "\x02\0"
	      "\0\x01\x03\0\x01\0\0\0\x10\0\0\0"
	      "\x01\x01\x03\0\x01\0\0\0\x08\0\0\0"
	      "\x08\0\0\0",
	    NULL, NULL);
	assert_int_equal(s.media, MEDIA_TIFF);
	assert_int_equal(s.pages, 1);
	assert_int_equal(s.width, 16);
	assert_int_equal(s.height, 8);
}

static void
test_large_picture_is_judged_by_its_header(void **state)
{
	(void)state;
	SNIFF("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xbb\x80\0\0\x9c\x40\x08\x02\0\0\0\0\0\0\0", NULL, NULL);
	assert_int_equal(s.width, 48000);
	assert_int_equal(s.height, 40000);
	assert_int_equal(s.marks, SNIFF_PIXELS);
	SNIFF("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\0\0\0\x9c\x40\x08\x02\0\0\0\0\0\0\0", NULL, NULL);
	assert_int_equal(s.verdict, VERDICT_UNREADABLE);
}

static const struct text_case {
	const char	*text, *name, *declared;
	enum media	 media;
	enum verdict	 verdict;
	unsigned	 marks;
} text_cases[] = {
	{ "<?xml version=\"1.0\"?><a/>", "a.xml", "text/xml", MEDIA_XML, VERDICT_READ, 0 },
	{ "\xef\xbb\xbf <!-- x --><?p q?>\n<ns0:Invoice xmlns:ns0='u'/>", "a.xml", NULL, MEDIA_XML, VERDICT_READ, 0 },
	{ "<!DOCTYPE a [<!ENTITY x '>'>]><a>&x;</a>", "a.xml", NULL, MEDIA_XML, VERDICT_UNREADABLE, SNIFF_ACTIVE },
	{ "<?xml version='1.0'?><!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x'><svg/>", "a.svg", NULL, MEDIA_OTHER,
	    VERDICT_UNSUPPORTED, 0 },
	{ "<svg onload='x()'/>", "a.svg", "image/svg+xml", MEDIA_OTHER, VERDICT_UNSUPPORTED, SNIFF_ACTIVE },
	{ "<!doctype html><html>", "a.html", "text/html", MEDIA_OTHER, VERDICT_UNSUPPORTED, 0 },
	{ "<!doctype html><html>", "a.pdf", NULL, MEDIA_OTHER, VERDICT_UNSUPPORTED, SNIFF_NAME },
	{ "<anna@partner.example> wrote:\n> yes\n", "a.txt", NULL, MEDIA_TXT, VERDICT_READ, 0 },
	{ "Dear Anna,\n\nthe proof, as agreed, is here.\n", "a.txt", "text/plain", MEDIA_TXT, VERDICT_READ, 0 },
	{ "Dear Anna,\n\nthe proof, as agreed, is here.\n", "a.pdf", "application/pdf", MEDIA_TXT,
	    VERDICT_READ, SNIFF_NAME },
	{ "a,b\n1,2\n3,4\n", "a.txt", "text/plain", MEDIA_CSV, VERDICT_READ, 0 },
	{ "a,b\n1,2\n3,4\n", "a.csv", "application/vnd.ms-excel", MEDIA_CSV, VERDICT_READ, 0 },
	{ "name\nAnna\n", "a.csv", NULL, MEDIA_CSV, VERDICT_READ, 0 },
	{ "name,n\n=1+1,2\n", "a.csv", NULL, MEDIA_CSV, VERDICT_READ, SNIFF_ACTIVE },
	{ "name,n\n\"@SUM(1)\",2\n", "a.csv", NULL, MEDIA_CSV, VERDICT_READ, SNIFF_ACTIVE },
	{ "name,n\n+1|calc!A1,2\n", "a.csv", NULL, MEDIA_CSV, VERDICT_READ, SNIFF_ACTIVE },
	{ "name,n\n@anna,-2.50\n+49 (0)30 12,- \n", "a.csv", NULL, MEDIA_CSV, VERDICT_READ, 0 },
	{ "Message-ID: <1@x>\r\nDate: now\r\n\r\nyes\r\n", "a.eml", "message/rfc822", MEDIA_EML, VERDICT_READ, 0 },
	{ "Message-ID: <1@x>\nDate: now\n\nyes\n", "a", NULL, MEDIA_EML, VERDICT_READ, 0 },
	{ "From: Anna\nTo: Ben\nSubject: a letter\n\nHello\n", "a.txt", NULL, MEDIA_TXT, VERDICT_READ, 0 },
	{ "Subject: x\n\nHello\n", "a.eml", NULL, MEDIA_EML, VERDICT_READ, 0 },
	{ "PDF files begin with %PDF-1.7, they say.\n", "a.txt", NULL, MEDIA_TXT, VERDICT_READ, 0 },
	{ "\x01\x02\x03", "a.txt", NULL, MEDIA_OTHER, VERDICT_UNSUPPORTED, SNIFF_NAME },
};

static void
test_text_is_told_by_what_it_says(void **state)
{
	const struct text_case *c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(text_cases); i++) {
		c = &text_cases[i];
		sniff(c->text, strlen(c->text), c->name, c->declared);
		if (s.media != c->media || s.verdict != c->verdict || s.marks != c->marks)
			fail_msg("%s: media %d verdict %d marks %#x", c->text, (int)s.media,
			    (int)s.verdict, s.marks);
	}
}

static void
test_utf16_xml_is_xml(void **state)
{
	(void)state;
	SNIFF("\xff\xfe<\0a\0/\0>\0", "a.xml", NULL);
	assert_int_equal(s.media, MEDIA_XML);
	SNIFF("\0<\0?\0x\0m\0l\0?\0>\0<\0!\0D\0O\0C\0T\0Y\0P\0E\0 \0a\0>\0<\0a\0/\0>", "a.xml", NULL);
	assert_int_equal(s.media, MEDIA_XML);
	assert_int_equal(s.verdict, VERDICT_UNREADABLE);
}

static void
test_name_and_declared_type_are_compared(void **state)
{
	(void)state;
	assert_true(media_fits_name(MEDIA_JPEG, "photo.JPEG"));
	assert_true(media_fits_name(MEDIA_JPEG, "photo"));
	assert_true(media_fits_name(MEDIA_JPEG, "Invoice No. 2026"));
	assert_true(media_fits_name(MEDIA_JPEG, NULL));
	assert_false(media_fits_name(MEDIA_JPEG, "photo.png"));
	assert_false(media_fits_name(MEDIA_PDF, "invoice.pdf.exe"));
	assert_false(media_fits_name(MEDIA_OTHER, "invoice.pdf"));
	assert_true(media_fits_name(MEDIA_OTHER, "program.exe"));
	assert_true(media_fits_declared(MEDIA_PDF, "Application/PDF; name=x"));
	assert_true(media_fits_declared(MEDIA_PDF, "application/octet-stream"));
	assert_true(media_fits_declared(MEDIA_PDF, ""));
	assert_false(media_fits_declared(MEDIA_PDF, "image/png"));
	assert_false(media_fits_declared(MEDIA_OTHER, "image/png"));
	assert_true(media_fits_declared(MEDIA_OTHER, "image/svg+xml"));
}

static void
test_zip_directory_is_believed_only_inside_the_file(void **state)
{
	/*
	 * An end record whose directory would start before the file, and one with a comment longer
	 * than the file.
	 */
	static const char before[] = "PK\5\6\0\0\0\0\1\0\1\0\xff\0\0\0\0\0\0\0\0\0";
	static const char comment[] = "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff";
	static const char empty[] = "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	struct zip_entry entry;
	struct zip zip;
	size_t at = 0;

	(void)state;
	assert_false(zip_open(&zip, (struct bytes){ (const uint8_t *)before, sizeof(before) - 1 }));
	assert_false(zip_open(&zip, (struct bytes){ (const uint8_t *)comment, sizeof(comment) - 1 }));
	assert_true(zip_open(&zip, (struct bytes){ (const uint8_t *)empty, sizeof(empty) - 1 }));
	assert_false(zip_next(&zip, &at, &entry));
	SNIFF("PK\3\4 and nothing more", "a.docx", NULL);
	assert_int_equal(s.verdict, VERDICT_UNREADABLE);
	assert_string_equal(s.type, "application/zip");
}

static void
test_pdf_actions_are_found_whatever_their_spelling(void **state)
{
	static const char head[] = "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R";
	static const char tail[] = ">>\nendobj\n2 0 obj\n<</Type/Pages/Count 1/Kids[3 0 R]>>\nendobj\n3 0 obj\n"
	    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>\nendobj\ntrailer\n<</Root 1 0 R/Size 4>>\n"
	    "startxref\n0\n%%EOF\n";
	static const struct {
		const char	*more;
		unsigned	 marks;
	} cases[] = {
		{ "", 0 },
		{ "/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>", SNIFF_ACTIVE },
		{ "/OpenAction<</S/Java#53cript/X()>>", SNIFF_ACTIVE },
		{ "/AA<</O<</S/Launch/F(calc.exe)>>>>", SNIFF_ACTIVE },
		{ "/Lang(/S /JavaScript /JS)", 0 },
		{ "/OpenAction[3 0 R/Fit]", 0 },
	};
	struct buf pdf = BUF_INIT(0);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		buf_addf(&pdf, "%s%s%s", head, cases[i].more, tail);
		sniff(pdf.data, pdf.len, "a.pdf", "application/pdf");
		assert_int_equal(s.verdict, VERDICT_READ);
		assert_int_equal(s.pages, 1);
		if (s.marks != cases[i].marks)
			fail_msg("%s: marks %#x", cases[i].more, s.marks);
		buf_clear(&pdf);
	}
	buf_done(&pdf);
}

static void
test_libmagic_names_what_is_not_accepted(void **state)
{
	struct magic_set *magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS);
	static const char gzip[] = "\x1f\x8b\x08\0\0\0\0\0\0\3rest";

	(void)state;
	assert_int_equal(magic_load(magic, NULL), 0);
	sniff_bytes((struct bytes){ (const uint8_t *)gzip, sizeof(gzip) - 1 }, "a.gz", NULL, magic, &s);
	assert_int_equal(s.verdict, VERDICT_UNSUPPORTED);
	assert_string_equal(s.type, "application/gzip");
	magic_close(magic);
}

/* Every prefix of a file is a file, too: none may be read beyond its end. */
static void
test_cut_short_is_no_crash(void **state)
{
	static const char jpeg[] = JPEG_EXIF JPEG_FRAME JPEG_SCAN JPEG_END;
	static const char heic[] = "\0\0\0\x14"
				   "ftypheic\0\0\0\0mif1"
				   "\0\0\0\x4e"
				   "meta\0\0\0\0"
				   "\0\0\0\x0epitm\0\0\0\0\0\1"
				   "\0\0\0\x34iprp"
				   "\0\0\0\x1cipco"
				   "\0\0\0\x14ispe\0\0\0\0\0\0\3\x20\0\0\2\x20"
				   "\0\0\0\x10ipma\0\0\0\0\0\0\0\1"
				   "\0\1\1\x81";
	size_t n;

	(void)state;
	for (n = 1; n < sizeof(jpeg); n++)
		sniff(jpeg, n, NULL, NULL);
	for (n = 1; n < sizeof(heic); n++)
		sniff(heic, n, NULL, NULL);
	assert_int_equal(s.media, MEDIA_HEIC);
}

#define WORD(text) "<word xMin=\"1\" yMin=\"2\" xMax=\"3\" yMax=\"4\">" text "</word>"

static void
test_words_become_text(void **state)
{
	static const char in[] =
	    "<title>x</title><doc><page width=\"1\"><flow><block x><line y>" WORD("A&amp;B")
		WORD("&lt;c&#39;") "</line><line>" WORD("d") "</line></block><block><line>" WORD(
		    "e\x01\xff") "</line></block></flow></page>"
				 "<page><block><line>" WORD(
				     "\xc3\xa4") "</line></block></page></doc>";
	struct buf text = BUF_INIT(1000);
	struct bbox bbox;

	(void)state;
	assert_true(bbox_read((struct bytes){ (const uint8_t *)in, sizeof(in) - 1 }, &text, &bbox));
	assert_string_equal(text.data, "A&B <c'\nd\n\ne\xef\xbf\xbd\n\f\xc3\xa4");
	assert_int_equal(bbox.pages, 2);
	assert_int_equal(bbox.letters, 6);
	assert_int_equal(bbox.solid, 10);
	buf_done(&text);
}

static void
test_text_ends_with_a_whole_word(void **state)
{
	static const char in[] = "<page><line>" WORD("one") WORD("three") WORD("x") "</line></page>";
	struct buf text = BUF_INIT(8);
	struct bbox bbox;

	(void)state;
	assert_false(bbox_read((struct bytes){ (const uint8_t *)in, sizeof(in) - 1 }, &text, &bbox));
	assert_string_equal(text.data, "one");
	assert_int_equal(bbox.chars, 3);
	buf_done(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jpeg_size_is_as_displayed),
		cmocka_unit_test(test_jpeg_height_may_come_after_the_scan),
		cmocka_unit_test(test_jpeg_without_frame_is_unreadable),
		cmocka_unit_test(test_archive_behind_a_picture_is_noticed),
		cmocka_unit_test(test_webp_sizes_of_its_three_forms),
		cmocka_unit_test(test_tiff_directories_may_form_a_ring),
		cmocka_unit_test(test_large_picture_is_judged_by_its_header),
		cmocka_unit_test(test_text_is_told_by_what_it_says),
		cmocka_unit_test(test_utf16_xml_is_xml),
		cmocka_unit_test(test_name_and_declared_type_are_compared),
		cmocka_unit_test(test_zip_directory_is_believed_only_inside_the_file),
		cmocka_unit_test(test_pdf_actions_are_found_whatever_their_spelling),
		cmocka_unit_test(test_libmagic_names_what_is_not_accepted),
		cmocka_unit_test(test_cut_short_is_no_crash),
		cmocka_unit_test(test_words_become_text),
		cmocka_unit_test(test_text_ends_with_a_whole_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

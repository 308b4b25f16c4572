/*
 * refused - files that are no evidence, seen by their declared type or first bytes: web pages, SVG, programs.
 * What looks harmless here is looked at properly by the worker; this spares people the wait. Pure.
 */
#ifndef UPLOADS_REFUSED_H
#define UPLOADS_REFUSED_H

#include <stddef.h>

#define REFUSED_LOOK_BYTES 512		/* of a file's begin are looked at */
#define REFUSED_ACCEPTED "PDF, PNG, JPEG, GIF, WebP, TIFF, HEIC, plain text, CSV, XML, DOCX, XLSX, PPTX and mail (EML)"

/*
 * What it is, in words ("a program"). NULL: nothing is known against it. type: lower case, without parameters;
 * "" or NULL: none.
 */
const char *refused_type(const char *type);
const char *refused_bytes(const char *data, size_t len);

#endif

/*
 * zip - reading a ZIP that nobody trusts: its directory, and small members of it. Pure, nothing is
 * believed twice.
 */
#ifndef EXTRACT_ZIP_H
#define EXTRACT_ZIP_H

#include "workers/documents/extract/bytes.h"

#define ZIP_ENTRIES_MAX	10000u

struct zip {
	struct bytes	b;
	size_t		shift;		/* bytes before the archive: offsets in it count from here */
	struct bytes	directory;	/* central directory */
	uint32_t	count;		/* entries as announced */
};

struct zip_entry {
	struct bytes	name;		/* as written: no NUL, any bytes */
	bool		encrypted;
	uint16_t	method;		/* 0 stored, 8 deflated */
	uint32_t	packed, size;	/* as announced: the truth may differ */
	uint32_t	offset;		/* of its local header */
};

/* Finds the end record in the last 64 KiB (APPNOTE 4.3.16), and the directory where it says. Not ZIP64. */
bool	zip_open(struct zip *zip, struct bytes b);
/*
 * The entry at *at (0 at first) of the directory; *at moves on. false: there is no more, or it is
 * damaged.
 */
bool	zip_next(const struct zip *zip, size_t *at, struct zip_entry *entry);
/* Unpacks at most max bytes of an entry into out. -1: it cannot be read; else the number of bytes. */
long	zip_read(const struct zip *zip, const struct zip_entry *entry, void *out, size_t max);
/* Name without case (OPC, ECMA-376 part 2, 6.2.2.3). */
bool	zip_named(const struct zip_entry *entry, const char *name);

#endif

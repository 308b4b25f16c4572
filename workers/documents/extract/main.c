/*
 * coopclaims-extract - reads documents that nobody trusts. Started by the documents worker with one
 * end of a socket pair as descriptor 3 (PROTOCOL.md). It has no network, no secrets and no
 * configuration file, opens no document itself, and stays single-threaded, since it forks.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <magic.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "workers/documents/extract/document.h"
#include "workers/documents/extract/sandbox.h"
#include "workers/documents/extract/stage.h"
#include "workers/documents/extract/zygote.h"

#define CONTROL		3
#define SEND_TIMEOUT_S	10
#define HEAP_KEPT	(16 << 20)
#define HEAP_PAD	(256 << 10)
#define EXIT_USAGE	64	/* sysexits.h */
#define EXIT_SYSTEM	71
#define EXIT_CONFIG	78

struct options {
	enum sandbox_landlock	landlock;
	const char		*tmp;
	unsigned		documents;
};

static const struct option flags[] = {
	{ "landlock",	required_argument, NULL, 'l' },
	{ "tmp",	required_argument, NULL, 't' },
	{ "documents",	required_argument, NULL, 'n' },
	{ "help",	no_argument,	   NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

static const char usage[] =
    "usage: coopclaims-extract [--landlock=prefer|require] [--tmp=FOLDER] [--documents=N]\n"
    "Reads documents for the documents worker, which starts it with a socket as descriptor 3.\n"
    "  --landlock   refuse to start (require) or do without (prefer) where the kernel has no Landlock; prefer\n"
    "  --tmp        folder for the folders of tools; /tmp\n"
    "  --documents  end after so many, so that the worker starts a fresh one; 500, 0: never\n";

static bool
read_number(const char *text, unsigned *n)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9' || value > 1000000000)
		return false;
	*n = (unsigned)value;
	return true;
}

static bool
read_options(int argc, char **argv, struct options *o)
{
	bool ok = true;
	int c;

	while (ok && (c = getopt_long(argc, argv, "", flags, NULL)) != -1) {
		switch (c) {
		case 'l':
			ok = strcmp(optarg, "prefer") == 0 || strcmp(optarg, "require") == 0;
			o->landlock = strcmp(optarg, "require") == 0 ? LANDLOCK_REQUIRE : LANDLOCK_PREFER;
			break;
		case 't':
			o->tmp = optarg;
			break;
		case 'n':
			ok = read_number(optarg, &o->documents);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			ok = false;
		}
	}
	if (!ok || optind != argc)
		fputs(usage, stderr);
	return ok && optind == argc;
}

/* Is every tool of the table on this system? */
static bool
tools_present(void)
{
	int i;

	for (i = 0; stages[i] != NULL; i++) {
		if (stages[i]->tool != NULL && access(stages[i]->tool[0], X_OK) == -1) {
			fprintf(stderr,
			    "coopclaims-extract: %s cannot be run (%s): install poppler-utils\n",
			    stages[i]->tool[0], strerror(errno));
			return false;
		}
	}
	return true;
}

/*
 * The worker's end must be a socket that keeps the borders of messages; a worker that does not read
 * is given up.
 */
static bool
control_ready(void)
{
	struct timeval timeout = { .tv_sec = SEND_TIMEOUT_S };
	int type = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(CONTROL, SOL_SOCKET, SO_TYPE, &type, &len) == -1 || type != SOCK_SEQPACKET ||
	    setsockopt(CONTROL, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == -1 ||
	    fcntl(CONTROL, F_SETFD, FD_CLOEXEC) == -1) {
		fputs("coopclaims-extract: descriptor 3 is no SOCK_SEQPACKET socket: the documents "
		      "worker starts this program\n",
		    stderr);
		return false;
	}
	return true;
}

/* Address space of this process: children start with it. -1: there is no /proc. */
static long
mapped_bytes(void)
{
	unsigned long pages;
	FILE *f = fopen("/proc/self/statm", "re");
	int n;

	if (f == NULL)
		return -1;
	n = fscanf(f, "%lu", &pages);
	fclose(f);
	return n == 1 ? (long)pages * sysconf(_SC_PAGESIZE) + HEAP_KEPT : -1;
}

static bool
magic_ready(struct magic_set **magic)
{
	*magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF);
	if (*magic == NULL || magic_load(*magic, NULL) == -1) {
		fprintf(stderr, "coopclaims-extract: libmagic has no database (%s): install libmagic-mgc\n",
		    *magic != NULL && magic_error(*magic) != NULL ? magic_error(*magic) : "no memory");
		return false;
	}
	return true;
}

int
main(int argc, char **argv)
{
	struct options options = { .landlock = LANDLOCK_PREFER, .tmp = "/tmp", .documents = 500 };
	struct zygote zygote = { .control = CONTROL, .pid = getpid() };
	struct sandbox sandbox;
	char why[256];
	int rc;

	/* Memory that is given back and taken again costs page faults, in every child. */
	mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
	mallopt(M_TOP_PAD, HEAP_PAD);
	xmalloc_install();
	log_init("coopclaims-extract", LOG_INFO);
	if (!read_options(argc, argv, &options))
		return EXIT_USAGE;
	if (!control_ready())
		return EXIT_USAGE;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);	/* of a terminal: the worker decides when this one ends */
	umask(077);
	zygote.null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (zygote.null == -1 || dup2(zygote.null, 0) == -1 || dup2(zygote.null, 1) == -1)
		return EXIT_SYSTEM;
	if (!tools_present() || !magic_ready(&zygote.magic))
		return EXIT_CONFIG;
	if (sandbox_init(&sandbox, options.landlock, why, sizeof(why)) == -1) {
		fprintf(stderr, "coopclaims-extract: %s\n", why);
		return EXIT_CONFIG;
	}
	if (mapped_bytes() == -1) {
		fputs("coopclaims-extract: /proc is not mounted, but needed\n", stderr);
		return EXIT_CONFIG;
	}
	zygote.mapped = (size_t)mapped_bytes();
	zygote.sandbox = &sandbox;
	zygote.tmp = options.tmp;
	rc = zygote_serve(&zygote, options.documents);
	sandbox_done(&sandbox);
	magic_close(zygote.magic);
	close(zygote.null);
	return rc == 0 ? 0 : EXIT_SYSTEM;
}

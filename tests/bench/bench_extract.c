/*
 * bench_extract - documents a second through the real coopclaims-extract, sandbox and extractor
 * included, one at a time: bench_extract [SECONDS [FILE...]]. Bars: an e-invoice of 6-20 KB 400/s,
 * a text PDF of one page 10/s with all later stages.
 */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "workers/documents/extraction.h"
#include "workers/documents/extractor.h"

#define AHEAD 4		/* documents that wait while one is read */

static const char *const files[] = {
	"tests/corpus/files/xrechnung-ubl-0101a.xml",
	"tests/corpus/files/cii-allowances-charges.xml",
	"tests/corpus/files/gen-de.pdf",
	"tests/corpus/files/facturx-fr-minimum.pdf",
};

static struct bench {
	struct event_base	*base;
	struct extractor	*extractor;
	const char		*name;
	int			 fd;
	int64_t			 end_us;
	unsigned		 waiting, read, failed;
} bench;

static void
more(void);

static void
done(const struct extraction *e, const char *reason, void *arg)
{
	(void)arg;
	bench.waiting--;
	bench.read++;
	if (e == NULL || strcmp(json_str(e->result, "outcome"), "processed") != 0) {
		fprintf(stderr, "%s: %s\n", bench.name, reason != NULL ? reason : "not processed");
		bench.failed++;
	}
	more();
	if (bench.waiting == 0)
		event_base_loopbreak(bench.base);
}

static void
more(void)
{
	while (bench.waiting < AHEAD && bench.failed == 0 && clock_mono_us() < bench.end_us) {
		bench.waiting++;
		extractor_run(bench.extractor, bench.fd, bench.name, NULL, 60000, done, NULL);
	}
}

/* User and system time of this process and of all children that have been waited for, in microseconds. */
static int64_t
cpu_us(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static int
measure(const char *program, const char *path, int seconds)
{
	struct extractor_config config = { .program = program };
	int64_t start_us, worker_us, program_us;
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	bench = (struct bench){ .base = event_base_new(),
		.fd = open(path, O_RDONLY | O_CLOEXEC),
		.name = basename(copy) };
	bench.extractor = extractor_new(bench.base, &config);
	if (bench.fd == -1 || bench.extractor == NULL) {
		fprintf(stderr, "%s cannot be read\n", path);
		return -1;
	}
	worker_us = cpu_us(RUSAGE_SELF);
	program_us = cpu_us(RUSAGE_CHILDREN);
	start_us = clock_mono_us();
	bench.end_us = start_us + seconds * 1000000ll;
	more();
	event_base_dispatch(bench.base);
	start_us = clock_mono_us() - start_us;
	extractor_free(bench.extractor);
	worker_us = cpu_us(RUSAGE_SELF) - worker_us;
	program_us = cpu_us(RUSAGE_CHILDREN) - program_us;
	printf("%-32s %7.1f documents/s   CPU %7.0f us in extract, %5.0f us in the worker\n", bench.name,
	    bench.read * 1e6 / (double)start_us, (double)program_us / bench.read, (double)worker_us / bench.read);
	event_base_free(bench.base);
	close(bench.fd);
	return bench.failed == 0 ? 0 : -1;
}

int
main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 3, i, rc = 0;
	char program[PATH_MAX], self[PATH_MAX] = "";
	size_t n;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) == -1)
		return 1;
	snprintf(program, sizeof(program), "%s/coopclaims-extract", dirname(dirname(self)));
	log_init("bench", LOG_WARN);
	if (argc <= 2) {
		for (n = 0; n < ARRAY_SIZE(files); n++)
			rc |= measure(program, files[n], seconds);
	}
	for (i = 2; i < argc; i++)
		rc |= measure(program, argv[i], seconds);
	return rc == 0 ? 0 : 1;
}

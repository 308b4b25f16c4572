/* metrics - see metrics.h. Used by one thread, the event loop's. */
#include "base/metrics.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "base/xmalloc.h"

#define SERIES_MAX	2000	/* a label that a client can fill must not fill our memory */
#define LABELS_MAX	8
#define VALUE_MAX_BYTES	256	/* of one label value */
#define SLOTS_FIRST	16

/* Upper ends in seconds; a last bucket without one follows. */
static const double bounds[] = { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10 };
#define BUCKETS ARRAY_SIZE(bounds)

struct metric_series {
	STAILQ_ENTRY(metric_series) entry;
	const struct metric	*metric;
	uint64_t		 hash;
	char			*key;		/* the label values, each with its NUL */
	size_t			 key_len;
	double			 value;		/* of a histogram: the sum */
	uint64_t		 count;		/* of a histogram: all observations */
	uint64_t		 buckets[];	/* BUCKETS of a histogram, not yet summed up */
};
STAILQ_HEAD(series_list, metric_series);

struct metric {
	STAILQ_ENTRY(metric)	 entry;
	enum metric_type	 type;
	char			*name, *help;
	char			*labels[LABELS_MAX];
	size_t			 label_count;
	struct series_list	 series;	/* in the order they appeared */
	size_t			 series_count;
	struct metric_series	**slots;	/* open addressing, at most half full */
	size_t			 slot_count;	/* a power of 2 */
};
STAILQ_HEAD(metric_list, metric);

struct metrics {
	struct metric_list list;
};

static bool	name_valid(const char *name);
static void	labels_set(struct metric *metric, const char *labels);
static void	metric_free(struct metric *metric);
static size_t	slot_find(const struct metric *metric, uint64_t hash, const char *key, size_t key_len);
static void	slots_grow(struct metric *metric);
static struct metric_series *series_new(struct metric *metric, uint64_t hash, const char *key, size_t key_len);
static struct metric_series *series_get(struct metric *metric, const char *key, size_t key_len);
static size_t	key_add(char *key, size_t len, const char *value);
static struct metric_series *series_other(struct metric *metric);
static struct metric_series *series_find(struct metric *metric, va_list ap);
static void	value_write(struct buf *out, double value);
static void	escaped_write(struct buf *out, const char *text, bool quotes);
static void	sample_write(struct buf *out, const struct metric_series *series, const char *suffix, const char *le,
		    double value);
static void	histogram_write(struct buf *out, const struct metric_series *series);

static const char *const type_names[] = { "counter", "gauge", "histogram" };

struct metrics *
metrics_new(void)
{
	struct metrics *metrics = xcalloc(1, sizeof(*metrics));

	STAILQ_INIT(&metrics->list);
	return metrics;
}

static void
metric_free(struct metric *metric)
{
	struct metric_series *series;

	while ((series = STAILQ_FIRST(&metric->series)) != NULL) {
		STAILQ_REMOVE_HEAD(&metric->series, entry);
		free(series->key);
		free(series);
	}
	for (size_t i = 0; i < metric->label_count; i++)
		free(metric->labels[i]);
	free(metric->slots);
	free(metric->name);
	free(metric->help);
	free(metric);
}

void
metrics_free(struct metrics *metrics)
{
	struct metric *metric;

	if (metrics == NULL)
		return;
	while ((metric = STAILQ_FIRST(&metrics->list)) != NULL) {
		STAILQ_REMOVE_HEAD(&metrics->list, entry);
		metric_free(metric);
	}
	free(metrics);
}

static bool
name_valid(const char *name)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

	return strspn(name, first) > 0 && name[strspn(name, rest)] == '\0';
}

static void
labels_set(struct metric *metric, const char *labels)
{
	const char *p = labels;

	while (p && *p) {
		size_t len = strcspn(p, ",");
		char *label = xstrndup(p, len);

		assert(metric->label_count < LABELS_MAX && name_valid(label) && strcmp(label, "le") != 0);
		metric->labels[metric->label_count++] = label;
		p += len + (p[len] == ',');
	}
}

struct metric *
metrics_add(struct metrics *metrics, enum metric_type type, const char *name, const char *help, const char *labels)
{
	struct metric *metric = xcalloc(1, sizeof(*metric));
	const struct metric *other;

	assert(name_valid(name));
	STAILQ_FOREACH(other, &metrics->list, entry)
		assert(strcmp(other->name, name) != 0);
	metric->type = type;
	metric->name = xstrdup(name);
	metric->help = xstrdup(help);
	labels_set(metric, labels);
	STAILQ_INIT(&metric->series);
	metric->slot_count = SLOTS_FIRST;
	metric->slots = xcalloc(SLOTS_FIRST, sizeof(struct metric_series *));
	STAILQ_INSERT_TAIL(&metrics->list, metric, entry);
	if (metric->label_count == 0)
		series_get(metric, "", 0);	/* a series without labels is there from the start, as 0 */
	return metric;
}

/* The slot of the series, or the free one where it belongs. */
static size_t
slot_find(const struct metric *metric, uint64_t hash, const char *key, size_t key_len)
{
	size_t i = hash & (metric->slot_count - 1);
	const struct metric_series *series;

	while ((series = metric->slots[i]) != NULL) {
		if (series->hash == hash && series->key_len == key_len && memcmp(series->key, key, key_len) == 0)
			break;
		i = (i + 1) & (metric->slot_count - 1);
	}
	return i;
}

static void
slots_grow(struct metric *metric)
{
	struct metric_series *series;

	free(metric->slots);
	metric->slot_count *= 2;
	metric->slots = xcalloc(metric->slot_count, sizeof(struct metric_series *));
	STAILQ_FOREACH(series, &metric->series, entry)
		metric->slots[slot_find(metric, series->hash, series->key, series->key_len)] = series;
}

static struct metric_series *
series_new(struct metric *metric, uint64_t hash, const char *key, size_t key_len)
{
	size_t buckets = metric->type == METRIC_HISTOGRAM ? BUCKETS : 0;
	struct metric_series *series = xcalloc(1, sizeof(*series) + buckets * sizeof(series->buckets[0]));

	series->metric = metric;
	series->hash = hash;
	series->key = xmalloc(key_len);
	memcpy(series->key, key, key_len);
	series->key_len = key_len;
	STAILQ_INSERT_TAIL(&metric->series, series, entry);
	metric->series_count++;
	return series;
}

/* NULL: there is none and no room for one more. */
static struct metric_series *
series_get(struct metric *metric, const char *key, size_t key_len)
{
	uint64_t hash = hash64(key, key_len);
	size_t slot = slot_find(metric, hash, key, key_len);

	if (metric->slots[slot])
		return metric->slots[slot];
	if (metric->series_count >= SERIES_MAX)
		return NULL;
	if ((metric->series_count + 1) * 2 > metric->slot_count) {
		slots_grow(metric);
		slot = slot_find(metric, hash, key, key_len);
	}
	metric->slots[slot] = series_new(metric, hash, key, key_len);
	return metric->slots[slot];
}

static size_t
key_add(char *key, size_t len, const char *value)
{
	size_t n = utf8_cut(value, strlen(value), VALUE_MAX_BYTES - 1);

	memcpy(key + len, value, n);
	key[len + n] = '\0';
	return len + n + 1;
}

/* Beyond SERIES_MAX: one more series, whose labels all are "other". */
static struct metric_series *
series_other(struct metric *metric)
{
	char key[LABELS_MAX * sizeof("other")];
	size_t len = 0, slot;
	uint64_t hash;

	for (size_t i = 0; i < metric->label_count; i++)
		len = key_add(key, len, "other");
	hash = hash64(key, len);
	slot = slot_find(metric, hash, key, len);
	if (metric->slots[slot] == NULL)
		metric->slots[slot] = series_new(metric, hash, key, len);
	return metric->slots[slot];
}

static struct metric_series *
series_find(struct metric *metric, va_list ap)
{
	char key[LABELS_MAX * VALUE_MAX_BYTES];
	struct metric_series *series;
	const char *value;
	size_t len = 0, n = 0;

	while ((value = va_arg(ap, const char *)) != NULL) {
		assert(n < metric->label_count);
		len = key_add(key, len, value);
		n++;
	}
	assert(n == metric->label_count);
	series = series_get(metric, key, len);
	return series ? series : series_other(metric);
}

struct metric_series *
metric_series(struct metric *metric, ...)
{
	struct metric_series *series;
	va_list ap;

	va_start(ap, metric);
	series = series_find(metric, ap);
	va_end(ap);
	return series;
}

void
metric_add(struct metric *metric, double value, ...)
{
	va_list ap;

	va_start(ap, value);
	series_add(series_find(metric, ap), value);
	va_end(ap);
}

void
metric_set(struct metric *metric, double value, ...)
{
	va_list ap;

	va_start(ap, value);
	series_set(series_find(metric, ap), value);
	va_end(ap);
}

void
metric_observe(struct metric *metric, double seconds, ...)
{
	va_list ap;

	va_start(ap, seconds);
	series_observe(series_find(metric, ap), seconds);
	va_end(ap);
}

void
series_add(struct metric_series *series, double value)
{
	assert(series->metric->type == METRIC_GAUGE || (series->metric->type == METRIC_COUNTER && value >= 0));
	series->value += value;
}

void
series_set(struct metric_series *series, double value)
{
	assert(series->metric->type == METRIC_GAUGE);
	series->value = value;
}

void
series_observe(struct metric_series *series, double seconds)
{
	size_t i = 0;

	assert(series->metric->type == METRIC_HISTOGRAM);
	while (i < BUCKETS && seconds > bounds[i])
		i++;
	if (i < BUCKETS)
		series->buckets[i]++;
	series->count++;
	series->value += seconds;
}

static void
value_write(struct buf *out, double value)
{
	if (isnan(value))
		buf_addstr(out, "NaN");
	else if (isinf(value))
		buf_addstr(out, value > 0 ? "+Inf" : "-Inf");
	else if (value == floor(value) && fabs(value) < 1e15)
		buf_addint(out, (int64_t)value);
	else
		buf_addf(out, "%.12g", value);
}

/* Help texts escape the backslash and the line feed, label values the quote as well. */
static void
escaped_write(struct buf *out, const char *text, bool quotes)
{
	struct buf clean = BUF_INIT(0);

	utf8_clean(&clean, text, strlen(text));
	for (size_t i = 0; i < clean.len; i++) {
		char c = clean.data[i];

		if (c == '\n')
			buf_add(out, "\\n", 2);
		else if (c == '\\' || (c == '"' && quotes))
			buf_addf(out, "\\%c", c);
		else
			buf_addch(out, c);
	}
	buf_done(&clean);
}

static void
sample_write(struct buf *out, const struct metric_series *series, const char *suffix, const char *le, double value)
{
	const struct metric *metric = series->metric;
	const char *text = series->key;
	const char *before = "{";

	buf_addf(out, "%s%s", metric->name, suffix);
	for (size_t i = 0; i < metric->label_count; i++) {
		buf_addf(out, "%s%s=\"", before, metric->labels[i]);
		escaped_write(out, text, true);
		buf_addch(out, '"');
		text += strlen(text) + 1;
		before = ",";
	}
	if (le)
		buf_addf(out, "%sle=\"%s\"", before, le);
	if (le || metric->label_count > 0)
		buf_addch(out, '}');
	buf_addch(out, ' ');
	value_write(out, value);
	buf_addch(out, '\n');
}

static void
histogram_write(struct buf *out, const struct metric_series *series)
{
	uint64_t sum = 0;
	char le[32];

	for (size_t i = 0; i < BUCKETS; i++) {
		sum += series->buckets[i];
		snprintf(le, sizeof(le), "%g", bounds[i]);
		sample_write(out, series, "_bucket", le, (double)sum);
	}
	sample_write(out, series, "_bucket", "+Inf", (double)series->count);
	sample_write(out, series, "_sum", NULL, series->value);
	sample_write(out, series, "_count", NULL, (double)series->count);
}

void
metrics_write(const struct metrics *metrics, struct buf *out)
{
	const struct metric_series *series;
	const struct metric *metric;

	STAILQ_FOREACH(metric, &metrics->list, entry) {
		buf_addf(out, "# HELP %s ", metric->name);
		escaped_write(out, metric->help, false);
		buf_addf(out, "\n# TYPE %s %s\n", metric->name, type_names[metric->type]);
		STAILQ_FOREACH(series, &metric->series, entry) {
			if (metric->type == METRIC_HISTOGRAM)
				histogram_write(out, series);
			else
				sample_write(out, series, "", NULL, series->value);
		}
	}
}

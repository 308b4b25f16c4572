/* metrics - counters, gauges and histograms with Prometheus' text exposition. One registry per process, made in main(). */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct metric;
struct metrics;

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metrics	*metrics_new(void);
void		 metrics_free(struct metrics *metrics);

/* labels: "route,status" or NULL. Histograms measure seconds in fixed buckets (0.0005 .. 10). Freed with the registry. */
struct metric	*metrics_add(struct metrics *metrics, enum metric_type type, const char *name, const char *help,
		    const char *labels);

/* One value per label, in order, then NULL. Series beyond 2,000 of one metric are counted under label value "other". */
void	 metric_add(struct metric *metric, double value, ...) __attribute__((sentinel));	/* counter += value */
void	 metric_set(struct metric *metric, double value, ...) __attribute__((sentinel));	/* gauge = value */
void	 metric_observe(struct metric *metric, double seconds, ...) __attribute__((sentinel));

/* A series that is looked up once and then counted without a look-up. NULL ends the values. */
struct metric_series *metric_series(struct metric *metric, ...) __attribute__((sentinel));
void	 series_add(struct metric_series *series, double value);
void	 series_set(struct metric_series *series, double value);
void	 series_observe(struct metric_series *series, double seconds);

/* Appends the whole exposition, text format 0.0.4. */
void	 metrics_write(const struct metrics *metrics, struct buf *out);

#endif

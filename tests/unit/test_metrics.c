/* metrics - the exposition to the letter, and its bounds. */
#include "base/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static void
test_metrics_write_counters_and_gauges(void **state)
{
	struct metrics *metrics = metrics_new();
	struct metric *requests = metrics_add(metrics, METRIC_COUNTER, "requests_total", "All \\ requests\nso far", "route,status");
	struct metric *lag = metrics_add(metrics, METRIC_GAUGE, "lag_seconds", "Loop lag", NULL);
	struct metric *odd = metrics_add(metrics, METRIC_GAUGE, "odd", "Odd values", "of");
	struct metric_series *series = metric_series(requests, "/v1/me", "200", NULL);
	struct buf out = BUF_INIT(0);

	(void)state;
	series_add(series, 1);
	metric_add(requests, 2, "/v1/me", "200", NULL);
	metric_add(requests, 1, "a\"b\\c\nd\xff", "404", NULL);
	metric_set(lag, 0.25, NULL);
	metric_add(lag, -1, NULL);
	metric_set(odd, NAN, "nan", NULL);
	metric_set(odd, -INFINITY, "inf", NULL);
	metric_set(odd, 1e300, "big", NULL);
	metrics_write(metrics, &out);
	assert_string_equal(out.data,
	    "# HELP requests_total All \\\\ requests\\nso far\n"
	    "# TYPE requests_total counter\n"
	    "requests_total{route=\"/v1/me\",status=\"200\"} 3\n"
	    "requests_total{route=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\",status=\"404\"} 1\n"
	    "# HELP lag_seconds Loop lag\n"
	    "# TYPE lag_seconds gauge\n"
	    "lag_seconds -0.75\n"
	    "# HELP odd Odd values\n"
	    "# TYPE odd gauge\n"
	    "odd{of=\"nan\"} NaN\n"
	    "odd{of=\"inf\"} -Inf\n"
	    "odd{of=\"big\"} 1e+300\n");
	buf_done(&out);
	metrics_free(metrics);
	metrics_free(NULL);
}

static void
test_metrics_histogram_buckets_are_summed_up(void **state)
{
	struct metrics *metrics = metrics_new();
	struct metric *latency = metrics_add(metrics, METRIC_HISTOGRAM, "latency_seconds", "Latency", "route");
	struct buf out = BUF_INIT(0);

	(void)state;
	metric_observe(latency, 0.0005, "/x", NULL);	/* an upper end belongs to its bucket */
	metric_observe(latency, 0.3, "/x", NULL);
	metric_observe(latency, 99, "/x", NULL);
	metrics_write(metrics, &out);
	assert_non_null(strstr(out.data, "latency_seconds_bucket{route=\"/x\",le=\"0.0005\"} 1\n"));
	assert_non_null(strstr(out.data, "latency_seconds_bucket{route=\"/x\",le=\"0.25\"} 1\n"));
	assert_non_null(strstr(out.data, "latency_seconds_bucket{route=\"/x\",le=\"0.5\"} 2\n"));
	assert_non_null(strstr(out.data, "latency_seconds_bucket{route=\"/x\",le=\"10\"} 2\n"));
	assert_non_null(strstr(out.data, "latency_seconds_bucket{route=\"/x\",le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(out.data, "latency_seconds_sum{route=\"/x\"} 99.3005\n"));
	assert_non_null(strstr(out.data, "latency_seconds_count{route=\"/x\"} 3\n"));
	buf_done(&out);
	metrics_free(metrics);
}

static void
test_metrics_without_labels_start_at_zero(void **state)
{
	struct metrics *metrics = metrics_new();
	struct buf out = BUF_INIT(0);

	(void)state;
	metrics_add(metrics, METRIC_COUNTER, "jobs_total", "Jobs", NULL);
	metrics_add(metrics, METRIC_COUNTER, "labelled_total", "Labelled", "kind");
	metrics_write(metrics, &out);
	assert_non_null(strstr(out.data, "\njobs_total 0\n"));
	assert_null(strstr(out.data, "\nlabelled_total"));
	buf_done(&out);
	metrics_free(metrics);
}

static void
test_metrics_series_are_bounded(void **state)
{
	struct metrics *metrics = metrics_new();
	struct metric *metric = metrics_add(metrics, METRIC_COUNTER, "c_total", "C", "a,b");
	struct buf out = BUF_INIT(0);
	size_t lines = 0;
	char value[16];
	char *long_value = malloc(100001);

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 5000; i++) {
			snprintf(value, sizeof(value), "v%d", i);
			metric_add(metric, 1, value, "x", NULL);
		}
	}
	memset(long_value, 'l', 100000);
	long_value[100000] = '\0';
	metric_add(metric, 1, long_value, "x", NULL);
	metrics_write(metrics, &out);
	for (size_t i = 0; i < out.len; i++)
		lines += out.data[i] == '\n';
	assert_int_equal(lines, 2 + 2000 + 1);
	assert_non_null(strstr(out.data, "c_total{a=\"v1999\",b=\"x\"} 2\n"));
	assert_null(strstr(out.data, "a=\"v2000\""));
	assert_non_null(strstr(out.data, "c_total{a=\"other\",b=\"other\"} 6001\n"));
	free(long_value);
	buf_done(&out);
	metrics_free(metrics);
}

static void
test_metrics_long_label_values_are_cut(void **state)
{
	struct metrics *metrics = metrics_new();
	struct metric *metric = metrics_add(metrics, METRIC_COUNTER, "c_total", "C", "a,b,c,d,e,f,g,h");
	struct buf out = BUF_INIT(0);
	char value[3001];

	(void)state;
	memset(value, 'l', 3000);
	value[3000] = '\0';
	metric_add(metric, 1, value, value, value, value, value, value, value, value, NULL);
	metrics_write(metrics, &out);
	assert_true(out.len < 8 * 280);
	buf_done(&out);
	metrics_free(metrics);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metrics_write_counters_and_gauges),
		cmocka_unit_test(test_metrics_histogram_buckets_are_summed_up),
		cmocka_unit_test(test_metrics_without_labels_start_at_zero),
		cmocka_unit_test(test_metrics_series_are_bounded),
		cmocka_unit_test(test_metrics_long_label_values_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

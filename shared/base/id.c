/* id - see id.h. */
#include "base/id.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"

#define ID_LEN		(ID_SIZE - 1)
#define TIME_AT		4	/* 10 characters: 50 bits, of which the upper 2 are 0 */
#define RANDOM_AT	14	/* 14 characters: 70 bits */
#define PARTITION_AT	28	/* 2 characters: 10 bits */

static void	base32_write(char *p, int count, uint64_t value);
static void	id_forget(void);
static void	id_setup(void);
static void	id_advance(void);

/* Crockford's base 32: no I, L, O, U. */
static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const signed char values[256] = {
	['1'] = 1, ['2'] = 2, ['3'] = 3, ['4'] = 4, ['5'] = 5, ['6'] = 6, ['7'] = 7, ['8'] = 8, ['9'] = 9, ['A'] = 10,
	['B'] = 11, ['C'] = 12, ['D'] = 13, ['E'] = 14, ['F'] = 15, ['G'] = 16, ['H'] = 17, ['J'] = 18, ['K'] = 19,
	['M'] = 20, ['N'] = 21, ['P'] = 22, ['Q'] = 23, ['R'] = 24, ['S'] = 25, ['T'] = 26, ['V'] = 27, ['W'] = 28,
	['X'] = 29, ['Y'] = 30, ['Z'] = 31,
};

/* The last id of this thread: the next one of the same ms is its successor. */
static _Thread_local struct {
	int64_t		ms;
	uint64_t	high, low;	/* 35 random bits each */
} last;
static pthread_once_t setup_once = PTHREAD_ONCE_INIT;

static inline bool
is_digit(char c)
{
	return c == '0' || values[(unsigned char)c] != 0;
}

static void
base32_write(char *p, int count, uint64_t value)
{
	while (count-- > 0) {
		p[count] = digits[value & 31];
		value >>= 5;
	}
}

/* Parent and child would otherwise go on from the same id. */
static void
id_forget(void)
{
	memset(&last, 0, sizeof(last));
}

static void
id_setup(void)
{
	pthread_atfork(NULL, NULL, id_forget);
}

/* When the clock stands still or goes back, the random part is counted up; its top bit starts as 0, so it never runs over. */
static void
id_advance(void)
{
	int64_t now = clock_real_ms();
	uint64_t drawn[2];

	if (now > last.ms) {
		random_bytes(drawn, sizeof(drawn));
		last.ms = now;
		last.high = drawn[0] >> 30;
		last.low = drawn[1] >> 29;
	} else if (++last.low >> 35) {
		last.low = 0;
		last.high++;
	}
	assert(last.ms >> 48 == 0 && last.high >> 35 == 0);
}

void
id_new(char id[ID_SIZE], const char *prefix, unsigned partition)
{
	assert(strlen(prefix) == 3 && partition < PARTITIONS_MAX);
	pthread_once(&setup_once, id_setup);
	id_advance();
	memcpy(id, prefix, 3);
	id[3] = '_';
	base32_write(id + TIME_AT, 10, (uint64_t)last.ms);
	base32_write(id + RANDOM_AT, 7, last.high);
	base32_write(id + RANDOM_AT + 7, 7, last.low);
	base32_write(id + PARTITION_AT, 2, partition);
	id[ID_LEN] = '\0';
}

bool
id_valid(const char *id, const char *prefix)
{
	for (int i = 0; i < 3; i++) {
		if (id[i] < 'a' || id[i] > 'z')
			return false;
	}
	if (id[3] != '_' || (prefix && memcmp(id, prefix, 3) != 0) || id[TIME_AT] > '7')
		return false;
	for (int i = TIME_AT; i < ID_LEN; i++) {
		if (!is_digit(id[i]))
			return false;
	}
	return id[ID_LEN] == '\0';
}

int
id_partition(const char *id)
{
	size_t len = strlen(id);

	if (len < ID_LEN || !id_valid(id + len - ID_LEN, NULL))
		return -1;
	return partition_parse(id + len - 2);
}

int
partition_parse(const char *text)
{
	if (!is_digit(text[0]) || !is_digit(text[1]))
		return -1;
	return values[(unsigned char)text[0]] << 5 | values[(unsigned char)text[1]];
}

void
partition_format(unsigned partition, char text[PARTITION_TEXT_SIZE])
{
	assert(partition < PARTITIONS_MAX);
	base32_write(text, 2, partition);
	text[2] = '\0';
}

int64_t
id_time_ms(const char *id)
{
	int64_t ms = 0;

	assert(id_valid(id, NULL));
	for (int i = TIME_AT; i < RANDOM_AT; i++)
		ms = ms << 5 | values[(unsigned char)id[i]];
	return ms;
}

/* What frame_read() accepts is exactly what frame_write() makes of it; nothing it reads makes it stumble. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/frames.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[FRAME_MAX_BYTES];
	struct frame frame;
	size_t len;

	if (frame_read(&frame, data, size))
		return 0;
	len = frame_write(&frame, bytes);
	if (len != size || memcmp(bytes, data, len))
		abort();
	return 0;
}

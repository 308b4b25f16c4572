/*
 * fsync_shim - preloaded into redis-server: notes beside each append-only file how long it was when an fsync of it last
 * completed. What lies behind that a power failure may take; redis_cut takes it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
note(int fd, off_t size)
{
	char link[64], path[4096], text[32];
	ssize_t n;
	int out, len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 16);
	if (n <= 0)
		return;
	path[n] = '\0';
	if (strstr(path, ".incr.aof") == NULL)
		return;
	strcat(path, ".synced");
	out = open(path, O_WRONLY | O_CREAT, 0600);
	if (out == -1)
		return;
	len = snprintf(text, sizeof(text), "%020lld\n", (long long)size);
	if (pwrite(out, text, (size_t)len, 0) == -1) {
		/* the test then sees an older size, which is cut further back: stricter, never laxer */
	}
	close(out);
}

static int
synced(const char *name, int fd)
{
	int (*real)(int);
	struct stat before;
	int rc, known;

	*(void **)&real = dlsym(RTLD_NEXT, name);
	known = fstat(fd, &before);
	rc = real(fd);
	if (rc == 0 && known == 0)
		note(fd, before.st_size);
	return rc;
}

int
fsync(int fd)
{
	return synced("fsync", fd);
}

int
fdatasync(int fd)
{
	return synced("fdatasync", fd);
}

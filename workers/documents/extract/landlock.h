/*
 * landlock - the three system calls and the bits of their structures up to ABI 6, which Debian 12's
 * headers do not have.
 */
#ifndef EXTRACT_LANDLOCK_H
#define EXTRACT_LANDLOCK_H

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/landlock.h of Linux 6.12; sizes of landlock_ruleset_attr: 8 bytes, 16 from ABI 4, 24 from ABI 6. */
struct landlock_attr {
	uint64_t	fs, net, scoped;
};

struct landlock_path {
	uint64_t	allowed;
	int32_t		parent_fd;
} __attribute__((packed));

#define LL_EXECUTE	(1ull << 0)
#define LL_WRITE_FILE	(1ull << 1)
#define LL_READ_FILE	(1ull << 2)
#define LL_READ_DIR	(1ull << 3)
#define LL_REMOVE_FILE	(1ull << 5)
#define LL_MAKE_REG	(1ull << 8)
#define LL_TRUNCATE	(1ull << 14)	/* ABI 3 */
#define LL_NET_ALL	3ull		/* ABI 4: bind and connect of TCP */
#define LL_SCOPE_ALL	3ull		/* ABI 6: abstract sockets, signals */

/* All rights on files that an ABI knows: 13 with 1, REFER with 2, TRUNCATE with 3, IOCTL_DEV with 5. */
static inline uint64_t
landlock_fs_all(int abi)
{
	return (1ull << (abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13)) - 1;
}

static inline long
landlock_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1u /* LANDLOCK_CREATE_RULESET_VERSION */);
}

static inline int
landlock_create(int abi)
{
	struct landlock_attr attr = { .fs = landlock_fs_all(abi), .net = abi >= 4 ? LL_NET_ALL : 0,
	    .scoped = abi >= 6 ? LL_SCOPE_ALL : 0 };

	return (int)syscall(SYS_landlock_create_ruleset, &attr, abi >= 6 ? 24 : abi >= 4 ? 16 : 8, 0);
}

static inline int
landlock_add(int ruleset, int parent_fd, uint64_t allowed)
{
	struct landlock_path path = { .allowed = allowed, .parent_fd = parent_fd };

	return (int)syscall(SYS_landlock_add_rule, ruleset, 1 /* LANDLOCK_RULE_PATH_BENEATH */, &path, 0);
}

static inline int
landlock_restrict(int ruleset)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

#endif

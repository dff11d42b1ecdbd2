/*
 * What a mount of a thin device costs at least: the ioctls and mount(2), and
 * nothing else. No lock, no record, no probe, no utab.
 *
 *   mount.floor-c POOL/ID/SECTORS DIR [-o OPTIONS …]
 *   umount.floor-c DIR [-OPTIONS]
 *
 * POOL is the pool's name below /dev/mapper. The filesystem is ext4. Build with
 * cc -O2 -static.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

static struct {
	struct dm_ioctl h;
	struct dm_target_spec spec;
	char params[256];
} b;

static int control;

static void die(const char *what)
{
	fprintf(stderr, "floor-c: %s: %s\n", what, strerror(errno));
	exit(32);
}

static void fresh(const char *name)
{
	memset(&b, 0, sizeof b);
	b.h.version[0] = DM_VERSION_MAJOR;
	b.h.data_size = sizeof b;
	b.h.data_start = sizeof b.h;
	if (name)
		snprintf(b.h.name, sizeof b.h.name, "floor-%s", name);
}

static void mount_it(char *what, const char *dir)
{
	char *id = strchr(what, '/'), *sectors = id ? strchr(id + 1, '/') : NULL, dev[32];

	if (!sectors)
		die("POOL/ID/SECTORS");
	*id++ = *sectors++ = 0;
	fresh(id);
	if (ioctl(control, DM_DEV_CREATE, &b))
		die("create");
	snprintf(dev, sizeof dev, "/dev/dm-%u", minor(b.h.dev));
	fresh(id);
	b.h.target_count = 1;
	b.spec.length = strtoull(sectors, NULL, 10);
	strcpy(b.spec.target_type, "thin");
	snprintf(b.params, sizeof b.params, "/dev/mapper/%s %s", what, id);
	if (ioctl(control, DM_TABLE_LOAD, &b))
		die("load");
	fresh(id);
	if (ioctl(control, DM_DEV_SUSPEND, &b))
		die("resume");
	if (mount(dev, dir, "ext4", 0, ""))
		die(dev);
}

static void umount_it(const char *dir)
{
	const struct timespec moment = {0, 1000000};
	struct stat st;

	if (stat(dir, &st))
		die(dir);
	if (umount2(dir, 0))
		die(dir);
	for (int n = 0; n < 10000; n++) {
		fresh(NULL);
		b.h.dev = st.st_dev;
		if (!ioctl(control, DM_DEV_REMOVE, &b))
			return;
		if (errno != EBUSY)
			break;
		nanosleep(&moment, NULL); /* udev has it open */
	}
	die("remove");
}

int main(int argc, char **argv)
{
	const char *me = strrchr(argv[0], '/');
	char *words[2];
	int n = 0;

	me = me ? me + 1 : argv[0];
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-') {
			if (strchr("otN", argv[i][strlen(argv[i]) - 1]))
				i++;
		} else if (n < 2) {
			words[n++] = argv[i];
		}
	}
	control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		die("/dev/mapper/control");
	if (!strncmp(me, "mount", 5) && n == 2)
		mount_it(words[0], words[1]);
	else if (!strncmp(me, "umount", 6) && n == 1)
		umount_it(words[0]);
	else
		die("usage");
	return 0;
}

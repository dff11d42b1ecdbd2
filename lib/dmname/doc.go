// Package dmname holds the names and uuids that the devices of pools and volumes
// have in device-mapper, and their inverse. It asks the kernel nothing.
package dmname

// Package dmname builds the names and uuids that the devices of pools and
// volumes have in device-mapper, and parses them. It does not call the kernel.
package dmname

/** Pattern of a path from the root: no `.` and `..`, no doubled or trailing slash, no control characters. */
export const absolutePath = "^(/(?!\\.{1,2}(/|$))[^/\\u0000-\\u001f\\u007f]+)+$";

/** Pattern of a user's or group's name; Debian has some with capitals. Never a number, never an option. */
export const accountName = "^[a-zA-Z_][a-zA-Z0-9_.-]{0,31}$";

/** Pattern of a name of DNS, in lower case. */
export const dnsNamePattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$";

/** Pattern of one card's hardware address: that of a group is odd in its first byte, and libvirt refuses it. */
export const macPattern = "^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$";

/** Pattern of the name of a network interface that can be given to a card. */
export const interfacePattern = "^(?!lo$)[a-z][a-z0-9]{0,14}$";

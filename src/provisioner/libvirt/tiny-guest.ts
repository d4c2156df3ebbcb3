/** What a guest of one sector does after its line. */
export type Afterwards = "power-off" | "halt";

/** SeaBIOS leaves out disks smaller than a cylinder of its making. */
const imageBytes = 1024 * 1024;
const sectorBytes = 512;
/** Where a BIOS puts a boot sector. */
const loadedAt = 0x7c00;

/**
 * A disk whose boot sector prints one line on the first serial port, then powers the machine off or halts. Enough
 * to see whether a guest runs at all, in a second or two and without any file of a distribution.
 */
export function tinyGuest(line: string, afterwards: Afterwards): Buffer {
  const ending = afterwards === "power-off" ? [...rest, ...powerOff, ...halt] : halt;
  const length = assemble([...print("0000"), ...ending]).length;
  const address = Buffer.alloc(2);
  address.writeUInt16LE(loadedAt + length);
  const program = Buffer.concat([
    assemble([...print(address.toString("hex")), ...ending]),
    Buffer.from(`${line}\r\n\0`, "latin1"),
  ]);
  if (program.length > sectorBytes - 2) throw new RangeError(`"${line}" does not fit into a boot sector`);
  const image = Buffer.alloc(imageBytes);
  program.copy(image);
  image.writeUInt16LE(0xaa55, sectorBytes - 2);
  return image;
}

/** 16-bit machine code and what it stands for. */
type Listing = readonly (readonly [hex: string, assembly: string])[];

/** Bytes from `address` up to a zero go to COM1 (0x3f8), each when the port is ready for it. */
function print(address: string): Listing {
  return [
    ["31c0", "xor ax, ax"],
    ["8ed8", "mov ds, ax"],
    ["fc", "cld"],
    [`be${address}`, "mov si, address"],
    ["ac", "next: lodsb"],
    ["84c0", "test al, al"],
    ["7412", "jz after"],
    ["88c4", "mov ah, al"],
    ["bafd03", "mov dx, 0x3fd"],
    ["ec", "wait: in al, dx"],
    ["a820", "test al, 0x20"],
    ["74fb", "jz wait"],
    ["baf803", "mov dx, 0x3f8"],
    ["88e0", "mov al, ah"],
    ["ee", "out dx, al"],
    ["ebe9", "jmp next"],
    // after:
  ];
}

/**
 * A second by the BIOS (interrupt 0x15, function 0x86, microseconds in cx:dx). A guest that is off before libvirt has
 * done all of its start counts as one that did not start: "qemu unexpectedly closed the monitor".
 */
const rest: Listing = [
  ["fb", "sti"],
  ["b486", "mov ah, 0x86"],
  ["b90f00", "mov cx, 0x000f"],
  ["ba4042", "mov dx, 0x4240"],
  ["cd15", "int 0x15"],
];

/** ACPI's sleep state S5, by the register where QEMU's q35 has it. */
const powerOff: Listing = [
  ["ba0406", "mov dx, 0x604"],
  ["b80020", "mov ax, 0x2000"],
  ["ef", "out dx, ax"],
];

const halt: Listing = [
  ["fa", "cli"],
  ["f4", "again: hlt"],
  ["ebfd", "jmp again"],
];

function assemble(listing: Listing): Buffer {
  return Buffer.from(listing.map(([hex]) => hex).join(""), "hex");
}

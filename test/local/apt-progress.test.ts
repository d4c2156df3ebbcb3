import { expect, it } from "vitest";

import { followApt } from "../../src/provisioner/local/apt-progress.ts";

it("names each package and how far the whole is", () => {
  const follow = followApt();
  const lines = [
    "Get:4 http://mirror.example.org/debian trixie/main amd64 Packages [9678 kB]",
    "0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.",
    "Get:1 http://mirror.example.org/debian trixie/main amd64 less amd64 668-1 [162 kB]",
    "Unpacking less (668-1) ...",
    "Selecting previously unselected package zstd.",
    "Setting up less (668-1) ...",
    "update-initramfs: Generating /boot/initrd.img-6.12.117+deb13-cloud-amd64",
  ];

  expect(lines.map(follow)).toEqual([
    { text: "reading trixie/main" },
    undefined,
    { text: "fetching less", fraction: 1 / 6 },
    { text: "unpacking less", fraction: 2 / 6 },
    undefined,
    { text: "setting up less", fraction: 3 / 6 },
    { text: "making /boot/initrd.img-6.12.117+deb13-cloud-amd64" },
  ]);
});

it("never passes the whole when apt does more than it announced", () => {
  const follow = followApt();
  follow("0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.");
  const fractions = [1, 2, 3, 4, 5].map((count) => follow(`Setting up p${count} (1) ...`)?.fraction);

  expect(fractions.at(-1)).toBe(1);
});

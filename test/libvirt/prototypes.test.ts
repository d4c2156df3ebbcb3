import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { handles, prototypes, structures } from "../../src/provisioner/libvirt/prototypes.ts";

const headers = "/usr/include/libvirt";
const installed = existsSync(headers);
const text = installed
  ? readdirSync(headers)
      .filter((name) => name.endsWith(".h"))
      .map((name) => readFileSync(join(headers, name), "utf8"))
      .join("\n")
      .replace(/\/\*[\s\S]*?\*\//g, "")
  : "";

/** C types where ours say more than the header's, or less. */
const same: readonly (readonly [RegExp, string])[] = [
  [/_Out_ /g, ""],
  [/HeapString /g, "char *"],
  [/Bytes /g, "char *"],
  [/const char \*data/g, "char *data"],
  [/virErrorPtr |virErrorFunc \*?/g, "void *"],
  [/virFreeCallback |virEventTimeoutCallback /g, "void *"],
  [/vir(Domain|DomainSnapshot|Network|StoragePool|StorageVol)Ptr \*\*/g, "void **"],
  [/vir(DomainInterface|NetworkDHCPLease)Ptr \*\*/g, "void **"],
  [/vir(DomainInterface|NetworkDHCPLease)Ptr /g, "void *"],
  [/vir(StoragePool|StorageVol)InfoPtr |vir(StoragePool|StorageVol)Info \*/g, "info *"],
  [/\(void\)/g, "()"],
];

function plain(prototype: string): string {
  const spaced = prototype.replace(/\s+/g, " ");
  const tidy = spaced
    .replace(/ ?\* ?/g, " *")
    .replace(/\* \*/g, "**")
    .replace(/ ?([(),]) ?/g, "$1")
    .trim();
  const typed = same.reduce((all, [from, to]) => all.replace(from, to), tidy);
  // Parameter names mean nothing to C, and libvirt is not of one mind about them.
  const [, head = "", parameters = ""] = /^([^(]*)\((.*)\)$/.exec(typed) ?? [];
  const types = parameters.split(",").map((parameter) => parameter.replace(/\w+$/, "").trim());
  return `${head}(${types.join(",")})`;
}

function declared(name: string): string {
  const found = new RegExp(`^[\\w *]+[ *]${name}\\s*\\([^;]*\\)`, "m").exec(
    text.replace(/\n(?=vir\w+ ?\()/g, " "),
  );
  return found === null ? `${name} is in no header` : plain(found[0]);
}

describe.skipIf(!installed)(`our declarations (needs ${headers}: package libvirt-dev)`, () => {
  it.each(Object.entries(prototypes))("%s is as libvirt's headers have it", (name, prototype) => {
    expect(plain(prototype)).toBe(declared(name));
  });

  it.each(Object.entries(structures))("%s has the header's members in order", (name, members) => {
    const source = name === "virDomainIPAddress" ? "virDomainInterfaceIPAddress" : name;

    const body = new RegExp(`struct _${source} \\{([\\s\\S]*?)\\};`).exec(text)?.[1] ?? "";

    const names = body
      .split(";")
      .map((line) => /(\w+)(?: VIR_DEPRECATED)?\s*$/.exec(line)?.[1])
      .filter((member) => member !== undefined);
    expect(names).toEqual(Object.keys(members));
  });
});

it("frees each kind of handle it declares", () => {
  const freed = handles
    .filter((handle) => handle !== "virConnectPtr")
    .map((handle) => handle.replace("Ptr", "Free"));

  expect(freed.filter((name) => !(name in prototypes))).toEqual([]);
});

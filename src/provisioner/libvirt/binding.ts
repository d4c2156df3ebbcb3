import { ProvisionError } from "../core/errors.ts";
import { handles, prototypes, structures } from "./prototypes.ts";

/** The address of something in C. */
export type Pointer = bigint;

/** A function of libvirt that we declare. */
export type FunctionName = keyof typeof prototypes;

/** What a declared function gives; `null` where C gives NULL. */
export type Result<Name extends FunctionName> = (typeof prototypes)[Name] extends `int ${string}`
  ? number
  : (typeof prototypes)[Name] extends `void ${string}`
    ? void
    : (typeof prototypes)[Name] extends `HeapString ${string}` | `const char *${string}`
      ? string | null
      : Pointer | null;

/** What may be handed to C; an array takes what C writes, a buffer is C's own memory while it runs. */
export type Argument = string | number | bigint | null | Buffer | [unknown] | Record<string, unknown>;

/** libvirt.so.0, ready to be called. */
export interface Binding {
  /** Calls at once, on this thread: for what never waits. */
  now<Name extends FunctionName>(name: Name, ...args: readonly Argument[]): Result<Name>;
  /** Calls on a pool thread. Rejects only for arguments that C cannot take. */
  later<Name extends FunctionName>(name: Name, ...args: readonly Argument[]): Promise<Result<Name>>;
  decode(pointer: Pointer, structure: keyof typeof structures, index?: number): Record<string, unknown>;
  /** The pointers of a C array. */
  pointers(array: Pointer, length: number): readonly Pointer[];
  /** Frees what libvirt allocated with malloc. */
  free(pointer: Pointer): void;
  /** Memory that stays where it is, for one structure. */
  room(structure: keyof typeof structures): Pointer;
  /** A C function that does nothing, for a callback nobody listens to. */
  readonly doNothing: Pointer;
  /** Ends the process without waiting for its threads. */
  exitNow(code: number): void;
}

/** Told of errors that belong to no connection: those of `virConnectOpen`. */
export type OnLooseError = (error: Record<string, unknown>) => void;

const library = "libvirt.so.0";
let loaded: Promise<Binding> | undefined;
let listener: OnLooseError = () => {};

/** Loads libvirt once. koffi is native code, so it is loaded only here: `provision --help` never pays for it. */
export function loadBinding(): Promise<Binding> {
  loaded ??= load();
  return loaded;
}

/** Who is told of the next loose error; one at a time. */
export function listenForLooseErrors(to: OnLooseError): void {
  listener = to;
}

async function load(): Promise<Binding> {
  const { default: koffi } = await import("koffi");
  const open = (name: string) => {
    try {
      return koffi.load(name);
    } catch (error) {
      throw new ProvisionError(
        "LIBVIRT_MISSING",
        { library: name, reason: error instanceof Error ? error.message : String(error) },
        { cause: error },
      );
    }
  };
  const libc = open("libc.so.6");
  const libvirt = open(library);
  const free = libc.func("void free(void *pointer)");
  const exitNow = libc.func("void _exit(int status)");
  koffi.disposable("HeapString", "str", free);
  koffi.alias("Bytes", koffi.pointer("void"));
  for (const name of handles) koffi.pointer(name, koffi.opaque());
  for (const [name, members] of Object.entries(structures)) koffi.struct(name, members);
  const errorFunc = koffi.proto("void virErrorFunc(void *userData, void *error)");

  const functions = new Map<FunctionName, ReturnType<typeof libvirt.func>>();
  const find = (name: FunctionName) => {
    const known = functions.get(name);
    if (known !== undefined) return known;
    // The guest agent is reached by a library of its own, in the same package.
    const from = name === "virDomainQemuAgentCommand" ? open("libvirt-qemu.so.0") : libvirt;
    const found = from.func(prototypes[name]);
    functions.set(name, found);
    return found;
  };

  const binding: Binding = {
    now: (name, ...args) => find(name)(...args),
    later: (name, ...args) =>
      new Promise((resolve, reject) => {
        // `args` is held by this closure until C is done with the buffers in it.
        find(name).async(...args, (error: Error | null, result: never) => {
          if (error === null) resolve(result);
          else reject(error);
        });
      }),
    decode: (pointer, structure, index = 0) =>
      koffi.decode(pointer, index * koffi.sizeof(structure), structure) as Record<string, unknown>,
    pointers: (array, length) =>
      length === 0 ? [] : (koffi.decode(array, koffi.array("void *", length)) as Pointer[]),
    free: (pointer) => void free(pointer),
    room: (structure) => koffi.alloc(structure, 1) as Pointer,
    // labs looks at its argument and gives a number: no memory, no JavaScript, safe on any thread.
    doNothing: libc.symbol("labs") as Pointer,
    exitNow: (code) => void exitNow(code),
  };
  // Keeps libvirt from printing on stderr; errors of a connection are read from that connection.
  const onError = koffi.register((_userData: unknown, error: Pointer) => {
    listener(binding.decode(error, "virError"));
  }, koffi.pointer(errorFunc));
  binding.now("virSetErrorFunc", null, onError);
  return binding;
}

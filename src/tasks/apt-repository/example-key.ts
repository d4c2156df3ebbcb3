/** A key made for the examples, whose secret part is gone: it signed the empty repository of `trial.ts`, and nothing else. */
export const exampleKey = {
  fingerprint: "F79C433891C3F9BC7A5B021E8A5CA591527197CB",
  text: `
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEZ3SFgBYJKwYBBAHaRw8BAQdAFqCtflnnp3DFonJRfQsQgDmpnVdrgIgqSS+e
RQT7iwW0FHBhY2thZ2VzQGV4YW1wbGUub3JniJAEExYIADgWIQT3nEM4kcP5vHpb
Ah6KXKWRUnGXywUCZ3SFgAIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRCK
XKWRUnGXy8a5AQCRWHxvqaPeZ0VvddhxbbJJqdCppJ0FfcQ75nayTLoFKwEAu/ZG
hvRY7azQk3RAZygcNHy3HvZ1soICbUEA9z1mpw4=
=+v5g
-----END PGP PUBLIC KEY BLOCK-----
`.trimStart(),
} as const;

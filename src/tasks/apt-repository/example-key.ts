/** A key made for the example: it signs no repository. */
export const exampleKey = {
  fingerprint: "8DB9613090501F6853AC87FEEA9CA515741F31BA",
  text: `
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawOVqBYJKwYBBAHaRw8BAQdA6rPzS9qK6EJeepdneRBza3UUnJa0G6Cf0O0H
3FtD11a0FHBhY2thZ2VzQGV4YW1wbGUub3JniJAEExYIADgWIQSNuWEwkFAfaFOs
h/7qnKUVdB8xugUCawOVqAIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRDq
nKUVdB8xunFTAQDLAfoHYqEpvhmLABJr3UT2pccBzrxaZpCI3A5BQ6LuqgD+ORt8
dOgCUu1Bw0Exfb1POg5+A7SNEQhj1JUtyUN/zwQ=
=V7UI
-----END PGP PUBLIC KEY BLOCK-----
`.trimStart(),
} as const;

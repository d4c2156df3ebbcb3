import * as fc from "fast-check";

/** Text that can be sent. Long enough at times to go as a file instead of in the frame. */
export const sendable = fc
  .oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.string({
      unit: fc.constantFrom(
        "'",
        '"',
        "$",
        "`",
        "\\",
        "\n",
        ";",
        "&",
        "-",
        "!",
        "*",
        "~",
        " ",
        "é",
        "🎉",
        "\r",
      ),
    }),
    fc.constantFrom(
      "-n",
      "-e x",
      "\n",
      "\n\n",
      "x\n\n",
      "%s\\n",
      "$(exit 1)",
      "'",
      "\u007f",
      "x".repeat(70_000),
    ),
  )
  .filter((text) => !/\0|\p{Surrogate}/u.test(text));

import type { Where } from "../../core/errors.ts";
import type { Event } from "../../core/events.ts";
import type { Style } from "./style.ts";
import { visibleText } from "./visible-text.ts";

/** An error as people read it: code and place, what, what to do. */
export function errorLines(event: Extract<Event, { kind: "error" }>, style: Style): readonly string[] {
  const { code, message, mend, complaints = [], stack } = event;
  const head = `${style.red("error")} ${style.bold(code)}`;
  if (complaints.length > 1) {
    return [
      `${head}  ${complaints.length} complaints`,
      ...complaints.map(({ where, what }) => `  ${style.cyan(place(where))}  ${visibleText(what)}`),
      mendLine(mend, style),
    ];
  }
  const where = event.where === undefined ? "" : `  ${style.cyan(place(event.where))}`;
  const body = stack ?? message;
  return [head + where, ...indent(visibleText(body)), mendLine(mend, style)];
}

function mendLine(mend: string, style: Style): string {
  return `  ${style.green("mend:")} ${visibleText(mend)}`;
}

function indent(text: string): readonly string[] {
  return text.split("\n").map((line) => `  ${line}`);
}

function place(where: Where | string): string {
  return typeof where === "string" ? visibleText(where) : `${where.file}:${where.line}:${where.column}`;
}

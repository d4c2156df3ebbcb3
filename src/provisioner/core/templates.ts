/** Fills `templates/<name>.hbs`; throws TEMPLATE_FAILED for an unknown name or a variable that is missing. */
export type RenderTemplate = (name: string, variables: Readonly<Record<string, unknown>>) => string;

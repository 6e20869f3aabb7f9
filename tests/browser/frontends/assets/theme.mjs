export const name = "theme module";

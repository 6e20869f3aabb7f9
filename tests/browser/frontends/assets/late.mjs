export const name = "late module";

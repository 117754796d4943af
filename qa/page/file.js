// A file is saved as soon as it is there.
watch("value", () => element.querySelector("a[download]")?.click());

// Imports the module of the first argument: so the main thread runs a file.
await import(process.argv[2]);

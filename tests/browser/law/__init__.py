"""The law as tests: a module for each rule of docs/law.md, its id in the name of every test."""

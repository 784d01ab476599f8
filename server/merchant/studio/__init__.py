"""The studio: the merchant's own pages, where a portal is set up without opening a file.

What its pages stand on, without HTTP, from the declaration of a key to the file:

    declarations   which control of a form asks for which key
    forms          what the controls hold, and which keys a posted form changed
    drafts         what an operator changed and did not write, conflicts key by key, the last ten writes
    saving         what would change, whether it may, the write, and taking one back
    operators      who may use the studio, and what each may do with which brand
    history        what operators did, as a chain that shows where somebody changed it
    commands       `python -m server operators`

`publishing/brand_files` writes, for `link` and `config import` too. `brands.load(folder, brand_files.overlay(…))` is the
brand as a draft would make it, pictures included, for a preview. These functions read and check files: some 30 ms for a
proposal, so a route calls them in a thread.
"""

"""Saved is not live: a brand is served as it was last published, while `themes/` is what people work on.

    sources.py     the files of a brand, copied, checked and built           nothing is kept
    rows.py        releases in the store, and which one is served: publishing and going back are one transaction each
    folders.py     a release as a folder of this host, made from the store   releases/<brand>/<n>/{source,site,manifest.json}
    following.py   what each process serves: looks into the store once a second

A process that is killed leaves nothing to repair: before the transaction nothing was published, after it every process
makes from the store what its host lacks. `releases/<brand>/current` is a link to the release that is served, replaced at
once, for a web server that serves the pages.
"""

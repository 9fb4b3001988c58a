"""make.py SRC.txt OUT.ipynb : cells split by lines '%% md' / '%% code [tags]' ; keep alt if present"""
import sys, nbformat, re
src, out = sys.argv[1:]
cells=[]; cur=None
for line in open(src).read().split("\n"):
    m=re.match(r"^%% (md|code)(.*)$", line)
    if m:
        cur=[m.group(1), m.group(2).split(), []]; cells.append(cur)
    elif cur is not None: cur[2].append(line)
nb=nbformat.v4.new_notebook()
for i,(kind,tags,lines) in enumerate(cells):
    text="\n".join(lines).strip("\n")
    if kind=="md": c=nbformat.v4.new_markdown_cell(text)
    else:
        c=nbformat.v4.new_code_cell(text)
        tg=[t for t in tags if t!="fig"]
        if tg: c.metadata["tags"]=tg
        if "fig" in tags: c.metadata["mystnb"]={"image":{"alt":"x"}}
    c["id"]=f"cell-{i:02d}"
    nb.cells.append(c)
nb.metadata={"kernelspec":{"display_name":"Python 3","language":"python","name":"python3"},"language_info":{"name":"python"}}
nbformat.write(nb,out)

import re
from pathlib import Path
from zipfile import ZipFile
from collections import Counter
from weighbridge.ingest.formats.sheets import read_xlsx
n=0;miss=0
for f in sorted([*Path('fx').rglob('*.xls[xm]'),*Path('fx2').rglob('*.xls[xm]')]):
    try: z=ZipFile(f); names=[x for x in z.namelist() if x.lower().endswith('.vml')]
    except Exception: continue
    for nme in names:
        x=z.read(nme).decode('utf8','ignore')
        for shape in re.findall(r'<v:shape .*?</v:shape>',x,re.S):
            if 'ObjectType="Note"' in shape: continue
            t=' '.join(re.sub(r'<[^>]+>',' ',''.join(re.findall(r'<v:textbox.*?</v:textbox>',shape,re.S))).split())
            if t:
                n+=1
                try: text=read_xlsx(f).contents[0].text
                except Exception: text=''
                ok=t.split()[0] in text
                miss+=not ok
                if not ok and miss<12: print(str(f)[-60:],re.findall(r'ObjectType="(\w+)"',shape),t[:80])
print(n,miss)

"""Reading files that people bring from Ads Manager: pure, streamed, free of the database.

`reading` opens a text file or a workbook as numbered rows, `columns` says which column means what,
`values` reads dates and numbers as people write them, `rows` turns a row into a result of a day or
into problems, `proposing` looks at a whole file and proposes how to read it.
"""

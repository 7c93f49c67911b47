"""Files of the Fortnox sandbox: inbox, attachments, connections to supplier invoices."""

from tests.sandbox.fortnox_client import company, ok

PDF = b"%PDF-1.4 tidrapport"


def uploaded(c, name="tidrapport.pdf", content=PDF, path="inbox_kf"):
    answer = c.http.post("/3/inbox", params={"path": path}, files={"file": (name, content)})
    return ok(answer, 201)["File"]


def attach(c, *wanted):
    return c.http.post("/api/fileattachments/attachments-v1", json=list(wanted))


def wanted(file, **fields):
    found = {
        "entityId": 1,
        "entityType": "F",
        "fileId": file["ArchiveFileId"],
        "includeOnSend": True,
    }
    return found | fields


def test_an_uploaded_file_is_listed_and_comes_back_as_it_went():
    with company() as c:
        file = uploaded(c)
        assert (file["Name"], file["Path"], file["Size"]) == (
            "tidrapport.pdf",
            "inbox_kf",
            len(PDF),
        )
        assert c.http.get(f"/3/inbox/{file['Id']}").content == PDF
        assert c.http.get("/3/archive", params={"fileid": file["ArchiveFileId"]}).content == PDF
        assert len(c.get("/3/inbox", path="inbox_kf")["Folder"]["Files"]) == 1
        assert c.http.delete(f"/3/inbox/{file['Id']}").status_code == 204
        c.refused("GET", f"/3/inbox/{file['Id']}", status=404)


def test_a_pdf_is_attached_to_an_invoice_by_its_archive_id():
    with company() as c:
        c.invoice()
        file = uploaded(c)
        made = ok(attach(c, wanted(file)), 201)
        path = "/api/fileattachments/attachments-v1"
        assert c.get(path, entityid=1, entitytype="F") == made
        counts = c.get(f"{path}/numberofattachments", entityids="1,2", entitytype="F")
        assert [each["numberOfAttachments"] for each in counts] == [1, 0]
        assert c.put(f"{path}/{made[0]['id']}", {"includeOnSend": False})["includeOnSend"] is False
        assert c.http.delete(f"{path}/{made[0]['id']}").status_code == 204
        assert c.get(path) == []


def test_attachments_are_refused_in_their_own_words():
    with company() as c:
        c.invoice()
        file, text = uploaded(c), uploaded(c, "a.txt", b"text")
        cases = [
            ([], 400, "no_attachment_provided"),
            ([wanted(file, entityId=9)], 404, "document_not_found"),
            ([wanted(file, fileId=file["Id"])], 404, "file_not_found"),
            ([wanted(text)], 400, "wrong_file_type"),
            ([wanted(file), wanted(file, entityId=2)], 400, "mixed_documents"),
            ([{"entityId": 1}], 400, "missing_mandatory_field"),
            ([wanted(file)] * 6, 400, "attachment_files_max_count_exceeded"),
        ]
        for body, status, error in cases:
            answer = attach(c, *body)
            assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert not c.tenant.attachments


def test_a_file_is_connected_to_a_supplier_invoice_by_its_id():
    with company() as c:
        c.tenant.add_supplier(SupplierNumber="7", Name="Lev AB")
        c.tenant.add_supplier_invoice([{"Account": 4600, "Debit": 10}])
        file = uploaded(c, "faktura.pdf", path="inbox_s")
        payload = {"FileId": file["Id"], "SupplierInvoiceNumber": "1"}
        path = "/3/supplierinvoicefileconnections"
        found = c.post(path, {"SupplierInvoiceFileConnection": payload})
        connection = found["SupplierInvoiceFileConnection"]
        assert (connection["Name"], connection["SupplierName"]) == ("faktura.pdf", "Lev AB")
        listed = c.get(path, supplierinvoicenumber=1)["SupplierInvoiceFileConnections"]
        assert len(listed) == 1

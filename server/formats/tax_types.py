"""The types of tax numbers: Stripe's types, with the examples of Stripe's documentation
(https://docs.stripe.com/billing/customer/tax-ids), what each is called at home, and what holds it to its form.
"""

from __future__ import annotations

import msgspec


class TaxType(msgspec.Struct, frozen=True):
    code: str
    """Stripe's type. It begins with the country, or with `eu`."""
    name: str
    """What it is called in its country; `VAT`, `GST` and `TIN` are put into the customer's words."""
    example: str
    """Its form; not a number of anybody, and its check digits may be wrong."""
    modules: str = ""
    """The modules of `stdnum` that know it: one of them has to accept the number."""
    shape: str = ""
    """A regular expression for the number without blanks and punctuation, where no module knows the form."""

    @property
    def country(self) -> str:
        """Two letters; empty for those of the whole European Union."""
        return "" if self.code.startswith("eu_") else self.code[:2].upper()


KINDS = (
    TaxType("ad_nrt", "NRT", "A-123456-Z", "ad.nrt"),
    TaxType("ae_trn", "TRN", "123456789012345", "", "[0-9]{15}"),
    TaxType("al_tin", "TIN", "J12345678N", "al.nipt"),
    TaxType("am_tin", "TIN", "02538904", "", "[0-9]{8}"),
    TaxType("ao_tin", "NIF", "5123456789", "", "[0-9A-Z]{9,14}"),
    TaxType("ar_cuit", "CUIT", "12-3456789-01", "ar.cuit"),
    TaxType("au_abn", "ABN", "12345678912", "au.abn"),
    TaxType("au_arn", "ARN", "123456789123", "", "[0-9]{12}"),
    TaxType("aw_tin", "TIN", "12345678", "", "[0-9]{8}"),
    TaxType("az_tin", "VÖEN", "0123456789", "az.voen"),
    TaxType("ba_tin", "TIN", "123456789012", "", "[0-9]{12,13}"),
    TaxType("bb_tin", "TIN", "1123456789012", "", "[0-9]{13}"),
    TaxType("bd_bin", "BIN", "123456789-0123", "", "[0-9]{13}"),
    TaxType("bf_ifu", "IFU", "12345678A", "", "[0-9]{8}[A-Z]"),
    TaxType("bg_uic", "UIC", "123456789", "", "[0-9]{9}|[0-9]{13}"),
    TaxType("bh_vat", "VAT", "123456789012345", "", "[0-9]{15}"),
    TaxType("bj_ifu", "IFU", "1234567890123", "", "[0-9]{13}"),
    TaxType("bo_tin", "NIT", "123456789", "", "[0-9]{7,12}"),
    TaxType("br_cnpj", "CNPJ", "01.234.456/5432-10", "br.cnpj"),
    TaxType("br_cpf", "CPF", "123.456.789-87", "br.cpf"),
    TaxType("bs_tin", "TIN", "123.456.789", "", "[0-9]{9}"),
    TaxType("by_tin", "UNP", "123456789", "by.unp"),
    TaxType("ca_bn", "BN", "123456789", "ca.bn"),
    TaxType("ca_gst_hst", "GST/HST", "123456789RT0002", "ca.bn"),
    TaxType("ca_pst_bc", "PST (BC)", "PST-1234-5678", "", "PST[0-9]{8}"),
    TaxType("ca_pst_mb", "PST (MB)", "123456-7", "", "[0-9]{7}"),
    TaxType("ca_pst_sk", "PST (SK)", "1234567", "", "[0-9]{7}"),
    TaxType("ca_qst", "QST", "1234567890TQ1234", "", "[0-9]{10}TQ[0-9]{4}"),
    TaxType("cd_nif", "NIF", "A0123456M", "", "[A-Z][0-9]{7}[A-Z]"),
    TaxType("ch_uid", "UID", "CHE-123.456.789", "ch.uid"),
    TaxType("ch_vat", "VAT", "CHE-123.456.789 MWST", "ch.vat ch.uid"),
    TaxType("cl_tin", "RUT", "12.345.678-K", "cl.rut"),
    TaxType("cm_niu", "NIU", "M123456789000L", "", "[A-Z][0-9]{12}[A-Z]"),
    TaxType("cn_tin", "TIN", "123456789012345678", "cn.uscc", "[0-9A-Z]{15}|[0-9A-Z]{17}|[0-9A-Z]{20}"),
    TaxType("co_nit", "NIT", "123.456.789-0", "co.nit"),
    TaxType("cr_tin", "TIN", "1-234-567890", "cr.cpj cr.cpf cr.cr"),
    TaxType("cv_nif", "NIF", "213456789", "", "[0-9]{9}"),
    TaxType("de_stn", "Steuernummer", "1234567890", "de.stnr"),
    TaxType("do_rcn", "RNC", "123-4567890-1", "do.rnc do.cedula"),
    TaxType("ec_ruc", "RUC", "1234567890001", "ec.ruc"),
    TaxType("eg_tin", "TIN", "123456789", "eg.tn"),
    TaxType("es_cif", "NIF", "A12345678", "es.nif es.cif"),
    TaxType("et_tin", "TIN", "1234567890", "", "[0-9]{10}"),
    TaxType("eu_oss_vat", "EU OSS", "EU123456789", "eu.oss"),
    TaxType("eu_vat", "EU VAT", "DE123456789", "eu.vat"),
    TaxType("gb_vat", "VAT", "GB123456789", "gb.vat"),
    TaxType("ge_vat", "VAT", "123456789", "", "[0-9]{9}|[0-9]{11}"),
    TaxType("gn_nif", "NIF", "123456789", "gn.nifp"),
    TaxType("hk_br", "BR", "12345678", "", "[0-9]{8}|[0-9]{11}|[0-9]{8}[0-9A-Z]{14}"),
    TaxType("hr_oib", "OIB", "12345678901", "hr.oib"),
    TaxType("hu_tin", "Adószám", "12345678-1-23"),
    TaxType("id_npwp", "NPWP", "012.345.678.9-012.345", "id.npwp", "[0-9]{16}"),
    TaxType("il_vat", "VAT", "000012345", "il.idnr"),
    TaxType("in_gst", "GST", "12ABCDE3456FGZH", "in_.gstin"),
    TaxType("is_vat", "VAT", "123456", "is_.vsk"),
    TaxType("jp_cn", "Hōjin Bangō", "1234567891234", "jp.cn"),
    TaxType("jp_rn", "JRN", "12345", "", "[0-9]{5}"),
    TaxType("jp_trn", "JCT", "T1234567891234", "", "T[0-9]{13}"),
    TaxType("ke_pin", "PIN", "P000111111A", "ke.pin"),
    TaxType("kg_tin", "TIN", "12345678901234", "", "[0-9]{14}"),
    TaxType("kh_tin", "TIN", "1001-123456789", "", "[0-9A-Z][0-9]{3}[0-9]{9}"),
    TaxType("kr_brn", "BRN", "123-45-67890", "kr.brn"),
    TaxType("kz_bin", "BIN", "123456789012", "", "[0-9]{12}"),
    TaxType("la_tin", "TIN", "123456789-000", "", "[0-9]{12}"),
    TaxType("li_uid", "UID", "CHE123456789", "ch.uid"),
    TaxType("li_vat", "VAT", "12345", "", "[0-9]{5}"),
    TaxType("ma_vat", "VAT", "12345678", "", "[0-9]{8}|[0-9]{15}"),
    TaxType("md_vat", "VAT", "1234567", "", "[0-9]{7}"),
    TaxType("me_pib", "PIB", "12345678", "me.pib"),
    TaxType("mk_vat", "VAT", "MK1234567890123", "mk.edb"),
    TaxType("mr_nif", "NIF", "12345678", "", "[0-9]{8}"),
    TaxType("mx_rfc", "RFC", "ABC010203AB9", "mx.rfc"),
    TaxType("my_frp", "FRP", "12345678", "", "[0-9]{8}"),
    TaxType("my_itn", "ITN", "C 1234567890", "", "[A-Z]{1,2}[0-9]{8,13}"),
    TaxType("my_sst", "SST", "A12-3456-78912345", "", "[A-Z][0-9]{14}"),
    TaxType("ng_tin", "TIN", "12345678-0001", "", "[0-9]{12,14}"),
    TaxType("no_vat", "VAT", "123456789MVA", "no.mva"),
    TaxType("no_voec", "VOEC", "1234567", "", "[0-9]{7}"),
    TaxType("np_pan", "PAN", "123456789", "", "[0-9]{9}"),
    TaxType("nz_gst", "GST", "123456789", "nz.ird"),
    TaxType("om_vat", "VAT", "OM1234567890", "", "OM[0-9]{10}"),
    TaxType("pe_ruc", "RUC", "12345678901", "pe.ruc"),
    TaxType("ph_tin", "TIN", "123456789012", "", "[0-9]{9}|[0-9]{12}|[0-9]{14}"),
    TaxType("pl_nip", "NIP", "1234567890", "pl.nip"),
    TaxType("ro_tin", "CIF", "1234567890123", "ro.cf ro.cui ro.cnp"),
    TaxType("rs_pib", "PIB", "123456789", "rs.pib"),
    TaxType("ru_inn", "INN", "1234567891", "ru.inn"),
    TaxType("ru_kpp", "KPP", "123456789", "", "[0-9]{4}[0-9A-Z]{2}[0-9]{3}"),
    TaxType("sa_vat", "VAT", "123456789012345", "", "[0-9]{15}"),
    TaxType("sg_gst", "GST", "M12345678X", "sg.uen", "M[0-9]{8}[A-Z]|M[A-Z][0-9]{7}[0-9A-Z]"),
    TaxType("sg_uen", "UEN", "123456789F", "sg.uen"),
    TaxType("si_tin", "Davčna številka", "12345678", "si.ddv"),
    TaxType("sn_ninea", "NINEA", "12345672A2", "sn.ninea"),
    TaxType("sr_fin", "FIN", "1234567890", "", "[0-9]{10}"),
    TaxType("sv_nit", "NIT", "1234-567890-123-4", "sv.nit"),
    TaxType("th_vat", "VAT", "1234567891234", "th.tin"),
    TaxType("tj_tin", "TIN", "123456789", "", "[0-9]{9}"),
    TaxType("tr_tin", "TIN", "0123456789", "tr.vkn tr.tckimlik"),
    TaxType("tw_vat", "UBN", "12345678", "tw.ubn"),
    TaxType("tz_vat", "VAT", "12345678A", "", "[0-9]{8}[A-Z]"),
    TaxType("ua_vat", "VAT", "123456789", "", "[0-9]{8,10}|[0-9]{12}"),
    TaxType("ug_tin", "TIN", "1014751879", "", "[0-9]{10}"),
    TaxType("us_ein", "EIN", "12-3456789", "us.ein"),
    TaxType("uy_ruc", "RUT", "123456789012", "uy.rut"),
    TaxType("uz_tin", "TIN", "123456789", "", "[0-9]{9}"),
    TaxType("uz_vat", "VAT", "123456789012", "", "[0-9]{12}"),
    TaxType("ve_rif", "RIF", "A-12345678-9", "ve.rif"),
    TaxType("vn_tin", "MST", "1234567890", "vn.mst"),
    TaxType("za_vat", "VAT", "4123456789", "", "4[0-9]{9}"),
    TaxType("zm_tin", "TIN", "1004751879", "", "[0-9]{10}"),
    TaxType("zw_tin", "TIN", "1234567890", "", "[0-9]{10}"),
)
BY_CODE = {each.code: each for each in KINDS}

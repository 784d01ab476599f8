"""The types of tax numbers: Stripe's types, with the examples of Stripe's documentation
(https://docs.stripe.com/billing/customer/tax-ids), what each is called at home, and what holds it to its form.
"""

from __future__ import annotations

import msgspec


class Kind(msgspec.Struct, frozen=True):
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
    Kind("ad_nrt", "NRT", "A-123456-Z", "ad.nrt"),
    Kind("ae_trn", "TRN", "123456789012345", "", "[0-9]{15}"),
    Kind("al_tin", "TIN", "J12345678N", "al.nipt"),
    Kind("am_tin", "TIN", "02538904", "", "[0-9]{8}"),
    Kind("ao_tin", "NIF", "5123456789", "", "[0-9A-Z]{9,14}"),
    Kind("ar_cuit", "CUIT", "12-3456789-01", "ar.cuit"),
    Kind("au_abn", "ABN", "12345678912", "au.abn"),
    Kind("au_arn", "ARN", "123456789123", "", "[0-9]{12}"),
    Kind("aw_tin", "TIN", "12345678", "", "[0-9]{8}"),
    Kind("az_tin", "VÖEN", "0123456789", "az.voen"),
    Kind("ba_tin", "TIN", "123456789012", "", "[0-9]{12,13}"),
    Kind("bb_tin", "TIN", "1123456789012", "", "[0-9]{13}"),
    Kind("bd_bin", "BIN", "123456789-0123", "", "[0-9]{13}"),
    Kind("bf_ifu", "IFU", "12345678A", "", "[0-9]{8}[A-Z]"),
    Kind("bg_uic", "UIC", "123456789", "", "[0-9]{9}|[0-9]{13}"),
    Kind("bh_vat", "VAT", "123456789012345", "", "[0-9]{15}"),
    Kind("bj_ifu", "IFU", "1234567890123", "", "[0-9]{13}"),
    Kind("bo_tin", "NIT", "123456789", "", "[0-9]{7,12}"),
    Kind("br_cnpj", "CNPJ", "01.234.456/5432-10", "br.cnpj"),
    Kind("br_cpf", "CPF", "123.456.789-87", "br.cpf"),
    Kind("bs_tin", "TIN", "123.456.789", "", "[0-9]{9}"),
    Kind("by_tin", "UNP", "123456789", "by.unp"),
    Kind("ca_bn", "BN", "123456789", "ca.bn"),
    Kind("ca_gst_hst", "GST/HST", "123456789RT0002", "ca.bn"),
    Kind("ca_pst_bc", "PST (BC)", "PST-1234-5678", "", "PST[0-9]{8}"),
    Kind("ca_pst_mb", "PST (MB)", "123456-7", "", "[0-9]{7}"),
    Kind("ca_pst_sk", "PST (SK)", "1234567", "", "[0-9]{7}"),
    Kind("ca_qst", "QST", "1234567890TQ1234", "", "[0-9]{10}TQ[0-9]{4}"),
    Kind("cd_nif", "NIF", "A0123456M", "", "[A-Z][0-9]{7}[A-Z]"),
    Kind("ch_uid", "UID", "CHE-123.456.789", "ch.uid"),
    Kind("ch_vat", "VAT", "CHE-123.456.789 MWST", "ch.vat ch.uid"),
    Kind("cl_tin", "RUT", "12.345.678-K", "cl.rut"),
    Kind("cm_niu", "NIU", "M123456789000L", "", "[A-Z][0-9]{12}[A-Z]"),
    Kind("cn_tin", "TIN", "123456789012345678", "cn.uscc", "[0-9A-Z]{15}|[0-9A-Z]{17}|[0-9A-Z]{20}"),
    Kind("co_nit", "NIT", "123.456.789-0", "co.nit"),
    Kind("cr_tin", "TIN", "1-234-567890", "cr.cpj cr.cpf cr.cr"),
    Kind("cv_nif", "NIF", "213456789", "", "[0-9]{9}"),
    Kind("de_stn", "Steuernummer", "1234567890", "de.stnr"),
    Kind("do_rcn", "RNC", "123-4567890-1", "do.rnc do.cedula"),
    Kind("ec_ruc", "RUC", "1234567890001", "ec.ruc"),
    Kind("eg_tin", "TIN", "123456789", "eg.tn"),
    Kind("es_cif", "NIF", "A12345678", "es.nif es.cif"),
    Kind("et_tin", "TIN", "1234567890", "", "[0-9]{10}"),
    Kind("eu_oss_vat", "EU OSS", "EU123456789", "eu.oss"),
    Kind("eu_vat", "EU VAT", "DE123456789", "eu.vat"),
    Kind("gb_vat", "VAT", "GB123456789", "gb.vat"),
    Kind("ge_vat", "VAT", "123456789", "", "[0-9]{9}|[0-9]{11}"),
    Kind("gn_nif", "NIF", "123456789", "gn.nifp"),
    Kind("hk_br", "BR", "12345678", "", "[0-9]{8}|[0-9]{11}|[0-9]{8}[0-9A-Z]{14}"),
    Kind("hr_oib", "OIB", "12345678901", "hr.oib"),
    Kind("hu_tin", "Adószám", "12345678-1-23"),
    Kind("id_npwp", "NPWP", "012.345.678.9-012.345", "id.npwp", "[0-9]{16}"),
    Kind("il_vat", "VAT", "000012345", "il.idnr"),
    Kind("in_gst", "GST", "12ABCDE3456FGZH", "in_.gstin"),
    Kind("is_vat", "VAT", "123456", "is_.vsk"),
    Kind("jp_cn", "Hōjin Bangō", "1234567891234", "jp.cn"),
    Kind("jp_rn", "JRN", "12345", "", "[0-9]{5}"),
    Kind("jp_trn", "JCT", "T1234567891234", "", "T[0-9]{13}"),
    Kind("ke_pin", "PIN", "P000111111A", "ke.pin"),
    Kind("kg_tin", "TIN", "12345678901234", "", "[0-9]{14}"),
    Kind("kh_tin", "TIN", "1001-123456789", "", "[0-9A-Z][0-9]{3}[0-9]{9}"),
    Kind("kr_brn", "BRN", "123-45-67890", "kr.brn"),
    Kind("kz_bin", "BIN", "123456789012", "", "[0-9]{12}"),
    Kind("la_tin", "TIN", "123456789-000", "", "[0-9]{12}"),
    Kind("li_uid", "UID", "CHE123456789", "ch.uid"),
    Kind("li_vat", "VAT", "12345", "", "[0-9]{5}"),
    Kind("ma_vat", "VAT", "12345678", "", "[0-9]{8}|[0-9]{15}"),
    Kind("md_vat", "VAT", "1234567", "", "[0-9]{7}"),
    Kind("me_pib", "PIB", "12345678", "me.pib"),
    Kind("mk_vat", "VAT", "MK1234567890123", "mk.edb"),
    Kind("mr_nif", "NIF", "12345678", "", "[0-9]{8}"),
    Kind("mx_rfc", "RFC", "ABC010203AB9", "mx.rfc"),
    Kind("my_frp", "FRP", "12345678", "", "[0-9]{8}"),
    Kind("my_itn", "ITN", "C 1234567890", "", "[A-Z]{1,2}[0-9]{8,13}"),
    Kind("my_sst", "SST", "A12-3456-78912345", "", "[A-Z][0-9]{14}"),
    Kind("ng_tin", "TIN", "12345678-0001", "", "[0-9]{12,14}"),
    Kind("no_vat", "VAT", "123456789MVA", "no.mva"),
    Kind("no_voec", "VOEC", "1234567", "", "[0-9]{7}"),
    Kind("np_pan", "PAN", "123456789", "", "[0-9]{9}"),
    Kind("nz_gst", "GST", "123456789", "nz.ird"),
    Kind("om_vat", "VAT", "OM1234567890", "", "OM[0-9]{10}"),
    Kind("pe_ruc", "RUC", "12345678901", "pe.ruc"),
    Kind("ph_tin", "TIN", "123456789012", "", "[0-9]{9}|[0-9]{12}|[0-9]{14}"),
    Kind("pl_nip", "NIP", "1234567890", "pl.nip"),
    Kind("ro_tin", "CIF", "1234567890123", "ro.cf ro.cui ro.cnp"),
    Kind("rs_pib", "PIB", "123456789", "rs.pib"),
    Kind("ru_inn", "INN", "1234567891", "ru.inn"),
    Kind("ru_kpp", "KPP", "123456789", "", "[0-9]{4}[0-9A-Z]{2}[0-9]{3}"),
    Kind("sa_vat", "VAT", "123456789012345", "", "[0-9]{15}"),
    Kind("sg_gst", "GST", "M12345678X", "sg.uen", "M[0-9]{8}[A-Z]|M[A-Z][0-9]{7}[0-9A-Z]"),
    Kind("sg_uen", "UEN", "123456789F", "sg.uen"),
    Kind("si_tin", "Davčna številka", "12345678", "si.ddv"),
    Kind("sn_ninea", "NINEA", "12345672A2", "sn.ninea"),
    Kind("sr_fin", "FIN", "1234567890", "", "[0-9]{10}"),
    Kind("sv_nit", "NIT", "1234-567890-123-4", "sv.nit"),
    Kind("th_vat", "VAT", "1234567891234", "th.tin"),
    Kind("tj_tin", "TIN", "123456789", "", "[0-9]{9}"),
    Kind("tr_tin", "TIN", "0123456789", "tr.vkn tr.tckimlik"),
    Kind("tw_vat", "UBN", "12345678", "tw.ubn"),
    Kind("tz_vat", "VAT", "12345678A", "", "[0-9]{8}[A-Z]"),
    Kind("ua_vat", "VAT", "123456789", "", "[0-9]{8,10}|[0-9]{12}"),
    Kind("ug_tin", "TIN", "1014751879", "", "[0-9]{10}"),
    Kind("us_ein", "EIN", "12-3456789", "us.ein"),
    Kind("uy_ruc", "RUT", "123456789012", "uy.rut"),
    Kind("uz_tin", "TIN", "123456789", "", "[0-9]{9}"),
    Kind("uz_vat", "VAT", "123456789012", "", "[0-9]{12}"),
    Kind("ve_rif", "RIF", "A-12345678-9", "ve.rif"),
    Kind("vn_tin", "MST", "1234567890", "vn.mst"),
    Kind("za_vat", "VAT", "4123456789", "", "4[0-9]{9}"),
    Kind("zm_tin", "TIN", "1004751879", "", "[0-9]{10}"),
    Kind("zw_tin", "TIN", "1234567890", "", "[0-9]{10}"),
)
BY_CODE = {each.code: each for each in KINDS}
